internal import Verypoll
internal import VerypollConfiguration

// Places for sessions: those of a listener, and those of all.

extension Worker {
    /// Whether there is no place for a session, not even one that is held only for a moment.
    mutating func isFull(_ listener: Listener, _ total: SessionLimiter) -> Bool {
        total.isFull(beyond: listener.reserve) || listener.limiter.isFull()
    }

    /// Takes a place everywhere, or nowhere and says where there is none.
    ///
    /// Where connections wait in the backlog, the limiters remember to tell when there is.
    ///
    /// The listener comes first: a full listener with a reserve would otherwise take and give back
    /// a place among all, again and again, and each time wake those that wait for one.
    package mutating func enter(_ listener: Listener, _ total: SessionLimiter) -> PauseReason {
        let awaits = listener.whenFull == .pause
        let reserve = listener.reserve
        guard awaits ? listener.limiter.reserveOrAwait() : listener.limiter.tryReserve() else {
            return .listenerLimit
        }
        guard awaits ? total.reserveOrAwait(beyond: reserve) : total.tryReserve(beyond: reserve)
        else {
            if listener.limiter.cancel() { tellOfRoom() }
            return .totalLimit
        }
        return .none
    }

    mutating func withdraw(_ listener: Listener, _ total: SessionLimiter) {
        let isListenerAwaited = listener.limiter.cancel()
        let isTotalAwaited = total.cancel()
        if isListenerAwaited || isTotalAwaited { tellOfRoom() }
    }

    /// Tells all workers that a limiter for which some listener waits has room.
    mutating func tellOfRoom() {
        for mailbox in context.mailboxes { mailbox.postOnce(.resume) }
    }
}
