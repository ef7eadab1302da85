internal import StrictJSON
internal import Varlink
internal import VerypollControl

extension Failure {
    /// Makes the failure that describes an error from the daemon.
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
            let owner =
                upstream.isEmpty ? "no upstream has a" : "the upstream \"\(upstream)\" has no"
            self.init(status: .refused, message: "\(owner) server \"\(name)\"")
        case (.configurationInvalid, _), (.reloadFailed, _):
            self.init(
                status: .invalidConfiguration,
                message: "the configuration is invalid",
                problems: error.problems ?? [],
                omittedProblemCount: error.omittedProblemCount
            )
        case (.sessionNotFound, _):
            guard let id = error.parameters["id"]?.integer else { fallthrough }
            self.init(status: .refused, message: "there is no session \(id)")
        case (.answerTooLong, _):
            self.init(
                status: .failed,
                message: "the answer is too long to send; request less, for example with --limit"
            )
        case (.busy, _):
            self.init(
                status: .failed,
                message: """
                    verypolld is busy: a worker did not answer in time, or the daemon is starting \
                    or stopping; try again
                    """
            )
        case (_, "\(service).PermissionDenied"):
            self.init(
                status: .refused,
                message: """
                    not permitted; root, the daemon's own user and members of the socket's group \
                    may do this
                    """
            )
        case (_, "\(service).MethodNotFound"), (_, "\(service).InterfaceNotFound"),
            (_, "\(service).MethodNotImplemented"):
            self.init(
                status: .failed,
                message: "the running verypolld does not support this command; update verypolld"
            )
        case (_, "\(service).InvalidParameter"):
            let name = error.string("parameter") ?? ""
            self.init(status: .usage, message: "verypolld rejected the parameter \"\(name)\"")
        default:
            self.init(status: .failed, message: "verypolld answered with the error \(error.name)")
        }
    }
}
