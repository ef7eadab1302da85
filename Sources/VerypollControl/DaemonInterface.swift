internal import StrictJSON
package import Varlink

/// The interface `io.verypoll.Daemon`, which the daemon and the command share.
package enum DaemonInterface {
    /// The name of the interface.
    package static let name = "io.verypoll.Daemon"

    /// The exact text of `io.verypoll.Daemon.varlink`.
    package static let description = String(
        decoding: PackageResources.io_verypoll_Daemon_varlink,
        as: UTF8.self
    )

    /// The methods of the interface.
    package enum Method: String, CaseIterable, Sendable {
        case getStatus = "io.verypoll.Daemon.GetStatus"
        case listListeners = "io.verypoll.Daemon.ListListeners"
        case listUpstreams = "io.verypoll.Daemon.ListUpstreams"
        case listRoutes = "io.verypoll.Daemon.ListRoutes"
        case rankServers = "io.verypoll.Daemon.RankServers"
        case getMetrics = "io.verypoll.Daemon.GetMetrics"
        case listSessions = "io.verypoll.Daemon.ListSessions"
        case getSession = "io.verypoll.Daemon.GetSession"
        case killSession = "io.verypoll.Daemon.KillSession"
        case killSessions = "io.verypoll.Daemon.KillSessions"
        case drain = "io.verypoll.Daemon.Drain"
        case resume = "io.verypoll.Daemon.Resume"
        case setServer = "io.verypoll.Daemon.SetServer"
        case checkConfig = "io.verypoll.Daemon.CheckConfig"
        case getConfig = "io.verypoll.Daemon.GetConfig"
        case reload = "io.verypoll.Daemon.Reload"
        case monitor = "io.verypoll.Daemon.Monitor"
    }

    /// The fully qualified names of the errors of the interface.
    package enum ErrorName: String, CaseIterable, Sendable {
        case listenerNotFound = "io.verypoll.Daemon.ListenerNotFound"
        case upstreamNotFound = "io.verypoll.Daemon.UpstreamNotFound"
        case serverNotFound = "io.verypoll.Daemon.ServerNotFound"
        case sessionNotFound = "io.verypoll.Daemon.SessionNotFound"
        case configurationInvalid = "io.verypoll.Daemon.ConfigurationInvalid"
        case reloadFailed = "io.verypoll.Daemon.ReloadFailed"
        case busy = "io.verypoll.Daemon.Busy"
        case answerTooLong = "io.verypoll.Daemon.AnswerTooLong"
    }
}

/// The errors of `io.verypoll.Daemon`.
extension VarlinkError {
    /// No listener has this name.
    package static func listenerNotFound(_ listener: String) -> VarlinkError {
        daemon(.listenerNotFound, ["listener": .string(listener)])
    }

    /// No upstream has this name.
    package static func upstreamNotFound(_ upstream: String) -> VarlinkError {
        daemon(.upstreamNotFound, ["upstream": .string(upstream)])
    }

    /// The upstream has no server with this address.
    package static func serverNotFound(_ server: String, of upstream: String) -> VarlinkError {
        daemon(.serverNotFound, ["upstream": .string(upstream), "server": .string(server)])
    }

    /// No open session has this number.
    package static func sessionNotFound(_ id: Int) -> VarlinkError {
        daemon(.sessionNotFound, ["id": .number(id)])
    }

    /// A configuration is invalid; `omitted` is the number of problems that are left out.
    package static func configurationInvalid(
        _ problems: [Problem],
        omitted: Int = 0
    ) -> VarlinkError {
        daemon(.configurationInvalid, parameters(problems, omitted))
    }

    /// A configuration could not be loaded, and nothing has changed; `omitted` is the number of
    /// problems that are left out.
    package static func reloadFailed(_ problems: [Problem], omitted: Int = 0) -> VarlinkError {
        daemon(.reloadFailed, parameters(problems, omitted))
    }

    private static func parameters(_ problems: [Problem], _ omitted: Int) -> [String: JSONValue] {
        var parameters: [String: JSONValue] = ["problems": .array(problems.map(\.json))]
        if omitted > 0 { parameters["omitted"] = .number(omitted) }
        return parameters
    }

    /// A worker did not answer in time.
    package static let busy = daemon(.busy, [:])

    /// The answer exceeds the maximum size of an answer.
    package static let answerTooLong = daemon(.answerTooLong, [:])

    /// The problems in the parameters of the error, or `nil` if it has none.
    package var problems: [Problem]? {
        parameters["problems"]?.array?.compactMap(Problem.init(json:))
    }

    /// The number of problems that the error leaves out.
    package var omittedProblemCount: Int {
        parameters["omitted"]?.integer ?? 0
    }

    private static func daemon(
        _ name: DaemonInterface.ErrorName,
        _ parameters: [String: JSONValue]
    ) -> VarlinkError {
        VarlinkError(name: name.rawValue, parameters: parameters)
    }
}

extension Problem {
    /// The problem as a value in the parameters of an error, without the fields that are `nil`.
    fileprivate var json: JSONValue {
        var members: [String: JSONValue] = [
            "file": .string(file), "pointer": .string(pointer), "message": .string(message),
        ]
        if let line { members["line"] = .number(line) }
        if let column { members["column"] = .number(column) }
        return .object(members)
    }

    /// Makes a problem from a value in the parameters of an error, or returns `nil` if the value is
    /// not a problem.
    fileprivate init?(json: JSONValue) {
        guard let message = json["message"]?.string else { return nil }
        self.init(
            file: json["file"]?.string ?? "",
            line: json["line"]?.integer,
            column: json["column"]?.integer,
            pointer: json["pointer"]?.string ?? "",
            message: message
        )
    }
}
