internal import StrictJSON
internal import Varlink
internal import VerypollControl

extension Failure {
    /// What the user is told about an error that the daemon answered.
    init(_ error: VarlinkError) {
        let service = "org.varlink.service"
        switch (DaemonInterface.ErrorName(rawValue: error.name), error.name) {
        case (.listenerNotFound, _):
            let name = error.string("listener") ?? ""
            self.init(status: .refused, message: "no listener is named \"\(name)\"")
        case (.upstreamNotFound, _):
            let name = error.string("upstream") ?? ""
            self.init(status: .refused, message: "no upstream is named \"\(name)\"")
        case (.serverNotFound, _):
            let name = error.string("server") ?? ""
            let upstream = error.string("upstream") ?? ""
            self.init(
                status: .refused,
                message: "the upstream \"\(upstream)\" has no server \"\(name)\""
            )
        case (.configurationInvalid, _), (.reloadFailed, _):
            self.init(
                status: .invalidConfiguration,
                message: "the configuration is refused",
                problems: error.problems ?? [],
                omittedProblemCount: error.omittedProblemCount
            )
        case (.sessionNotFound, _):
            guard let id = error.parameters["id"]?.integer else { fallthrough }
            self.init(status: .refused, message: "there is no session \(id)")
        case (.answerTooLong, _):
            self.init(
                status: .failed,
                message: "the answer of verypolld is too long to be sent; ask for less"
            )
        case (.busy, _):
            self.init(
                status: .failed,
                message: "a worker of verypolld did not answer in time; try again"
            )
        case (_, "\(service).PermissionDenied"):
            self.init(status: .refused, message: "you are not permitted to do this")
        case (_, "\(service).MethodNotFound"), (_, "\(service).InterfaceNotFound"),
            (_, "\(service).MethodNotImplemented"):
            self.init(status: .failed, message: "this verypolld is too old: it can't do this yet")
        case (_, "\(service).InvalidParameter"):
            let name = error.string("parameter") ?? ""
            self.init(status: .usage, message: "verypolld refuses the parameter \"\(name)\"")
        default:
            self.init(status: .failed, message: "verypolld answered with the error \(error.name)")
        }
    }
}
