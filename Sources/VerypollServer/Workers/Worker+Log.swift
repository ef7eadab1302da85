internal import Logging
internal import Verypoll

// The log entry of a session's end.

extension Worker {
    /// Logs the end of a session, unless the limit of log entries per second is reached.
    mutating func logEnd(of session: borrowing Session, _ reason: Session.EndReason) {
        guard sessionLog.admit(now: serveContext.now, logger: context.logger) else { return }
        let story = story(of: session, reason)
        var metadata: Logger.Metadata = [
            "listener": "\(story.listener)",
            "session": .number(session.id),
            "peer": "\(story.peer)",
            "reason": "\(reason)",
            "reasonCode": "\(reason.code.name)",
            "closedBy": "\(story.closer.name)",
            "bytesIn": .number(story.bytesIn),
            "bytesOut": .number(story.bytesOut),
            "durationMsec": .number(story.duration),
        ]
        if let sender = story.sender { metadata["proxySender"] = "\(sender)" }
        if story.restartCount > 0 { metadata["restarts"] = .number(story.restartCount) }
        if let upstream = story.upstream {
            metadata["upstream"] = "\(upstream)"
            metadata["retries"] = .number(story.retryCount)
            metadata["queueUsec"] = .number(Int(story.queueTime) * 1_000)
        }
        if let server = story.server { metadata["server"] = "\(server)" }
        if story.connectTime > 0 { metadata["connectUsec"] = .number(story.connectTime) }
        if let client = session.announced {
            if let name = client.serverNameText { metadata["serverName"] = "\(name)" }
            let protocols = client.protocolTexts
            if !protocols.isEmpty { metadata["alpn"] = "\(protocols.joined(separator: ","))" }
            if let route = routeName(of: session) { metadata["route"] = "\(route)" }
        }
        context.logger.info(.sessionEnded, "\(story.message)", metadata: metadata)
    }

    private func story(
        of session: borrowing Session,
        _ reason: Session.EndReason
    ) -> SessionStory {
        let upstream = upstream(of: session)
        let server = session.proxyState.connector.server
        return SessionStory(
            reason: reason.description,
            closer: reason.closer(firstEnd: session.firstEnd),
            peer: session.peerDescription,
            sender: session.sender?.description,
            listener: context.listeners[session.listener].name,
            upstream: upstream?.name,
            server: upstream.flatMap { upstream in server.map { upstream.servers[$0].name } },
            bytesIn: session.bytesIn,
            bytesOut: session.bytesOut,
            duration: serveContext.now - session.openedAt,
            connectTime: session.proxyState.connectTime,
            queueTime: session.proxyState.effort.queueTime(now: serveContext.now),
            retryCount: session.proxyState.effort.retryCount,
            restartCount: Int(session.restartCount)
        )
    }
}
