internal import VerypollControl
internal import VerypollServer

extension Status.Session {
    /// A session as clients of the control socket see it.
    ///
    /// - Parameters:
    ///   - session: What its worker reports.
    ///   - isClosing: Whether it has just ended.
    init(_ session: SessionSnapshot, isClosing: Bool = false) {
        self.init(
            id: Int(session.id),
            listener: session.listener,
            worker: session.worker,
            peer: session.peer,
            local: session.local,
            upstream: session.upstream,
            server: session.server,
            state: isClosing ? .closing : session.isHalfClosed ? .halfClosed : .open,
            openedTimestampUSec: session.openedTimestamp,
            idleUSec: session.idleMicroseconds,
            bytesIn: Int(session.bytesIn),
            bytesOut: Int(session.bytesOut),
            buffered: session.bufferedByteCount
        )
    }
}
