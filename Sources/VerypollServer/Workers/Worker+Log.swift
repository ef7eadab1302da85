internal import Logging
internal import SystemPackage

extension Worker {
    /// Logs the end of a session, unless more of them end than the log takes.
    mutating func logEnd(of session: borrowing Session, _ reason: Session.EndReason) {
        guard sessionLog.admit(now: serveContext.now, logger: context.logger) else { return }
        var metadata: Logger.Metadata = [
            "listener": "\(context.listeners[session.listener].name)",
            "session": "\(session.id)",
            "peer": "\(session.peerDescription)",
            "reason": "\(reason)",
            "bytesIn": "\(session.bytesIn)",
            "bytesOut": "\(session.bytesOut)",
            "durationMsec": "\(serveContext.now - session.openedAt)",
        ]
        if let upstream = upstream(of: session) {
            metadata["upstream"] = "\(upstream.name)"
            if let server = session.connector.server {
                metadata["server"] = "\(upstream.servers[server].name)"
            }
        }
        context.logger.info(.sessionEnded, "session ended: \(reason)", metadata: metadata)
    }
}

extension Session.EndReason: CustomStringConvertible {
    package var description: String {
        switch self {
        case .completed: "both ways ended"
        case .failed(let error): "\(error)"
        case .serverFailed(let error): "the server's connection failed: \(error)"
        case .noServer(.down): "no server is up"
        case .noServer(.unreachable(let error)): "no server can be reached, the last: \(error)"
        case .noServer(.queueFull): "the upstream's queue is full"
        case .noServer(.queueTimeout): "the upstream had no room in time"
        case .serverDown: "the server is down"
        case .malformedHeader(let reason): "the PROXY header \(reason.rawValue)"
        case .notAdmitted: "the source is not admitted"
        case .timedOut(let timeout): "the time \(timeout.rawValue) ran out"
        case .killed: "killed"
        case .drained: "drained"
        case .stopped: "the daemon stopped"
        case .handedOff: "handed over to the next process"
        }
    }
}
