#if Net && OSExt
internal import Varlink
internal import VerypollControl

// What operators do to listeners, servers and the configuration.

extension Supervisor {
    func drain(listener: String?, deadline: Duration?) throws(VarlinkError) {
        throw .methodNotImplemented(DaemonInterface.Method.drain.rawValue)
    }

    func resume(listener: String?) throws(VarlinkError) {
        throw .methodNotImplemented(DaemonInterface.Method.resume.rawValue)
    }

    func setServer(_ setting: ServerSetting) throws(VarlinkError) {
        throw .methodNotImplemented(DaemonInterface.Method.setServer.rawValue)
    }

    func reload(ticket: ControlTicket) throws(VarlinkError) -> ControlAnswer<ChangeList> {
        throw .methodNotImplemented(DaemonInterface.Method.reload.rawValue)
    }
}
#endif
