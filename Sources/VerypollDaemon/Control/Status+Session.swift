internal import VerypollControl
internal import VerypollServer

extension Status.Session {
    /// Creates the description of a session for clients of the control socket.
    ///
    /// - Parameters:
    ///   - session: The report of the session's worker.
    ///   - isClosing: Whether the session has just ended.
    init(_ session: SessionSnapshot, isClosing: Bool = false) {
        self.init(
            id: Int(session.id),
            listener: session.listener,
            worker: session.worker,
            peer: session.peer,
            local: session.local,
            upstream: session.upstream,
            server: session.server,
            state: isClosing ? .closing : State(session.state),
            openedTimestampUSec: session.openedTimestamp,
            idleUSec: session.idleMicroseconds,
            bytesIn: Int(session.bytesIn),
            bytesOut: Int(session.bytesOut),
            buffered: session.bufferedByteCount,
            serverName: session.serverName,
            alpn: session.alpn,
            route: session.route
        )
    }
}

extension Status.Session.State {
    fileprivate init(_ state: SessionSnapshot.State) {
        self =
            switch state {
            case .waiting: .waiting
            case .connecting: .connecting
            case .open: .open
            case .halfClosed: .halfClosed
            }
    }
}
