package import Varlink

/// The interface `io.verypoll.Daemon`, which daemon and command share.
package enum DaemonInterface {
    /// The name of the interface.
    package static let name = "io.verypoll.Daemon"

    /// The text of `io.verypoll.Daemon.varlink`, to the byte.
    package static let description = String(
        decoding: PackageResources.io_verypoll_Daemon_varlink,
        as: UTF8.self
    )

    /// The methods of the interface.
    package enum Method: String, CaseIterable, Sendable {
        case getStatus = "io.verypoll.Daemon.GetStatus"
        case listListeners = "io.verypoll.Daemon.ListListeners"
        case listUpstreams = "io.verypoll.Daemon.ListUpstreams"
        case getMetrics = "io.verypoll.Daemon.GetMetrics"
        case listSessions = "io.verypoll.Daemon.ListSessions"
        case killSession = "io.verypoll.Daemon.KillSession"
    }

    /// The fully qualified names of the errors of the interface.
    package enum ErrorName: String, CaseIterable, Sendable {
        case listenerNotFound = "io.verypoll.Daemon.ListenerNotFound"
        case busy = "io.verypoll.Daemon.Busy"
        case sessionNotFound = "io.verypoll.Daemon.SessionNotFound"
    }
}

/// The errors of `io.verypoll.Daemon`.
extension VarlinkError {
    /// No listener has this name.
    package static func listenerNotFound(_ listener: String) -> VarlinkError {
        VarlinkError(
            name: DaemonInterface.ErrorName.listenerNotFound.rawValue,
            parameters: ["listener": .string(listener)]
        )
    }

    /// A worker did not answer in time.
    package static var busy: VarlinkError {
        VarlinkError(name: DaemonInterface.ErrorName.busy.rawValue, parameters: [:])
    }

    /// No open session has this number.
    package static func sessionNotFound(_ id: Int) -> VarlinkError {
        VarlinkError(
            name: DaemonInterface.ErrorName.sessionNotFound.rawValue,
            parameters: ["id": .int(id)]
        )
    }
}
