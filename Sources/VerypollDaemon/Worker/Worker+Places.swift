#if Net && OSExt
internal import Verypoll

// Places for sessions: those of a listener, and those of all.

extension Worker {
    /// Whether there is no place for a session, not even one that is held only for a moment.
    mutating func isFull(_ listener: Listener, _ total: SessionGate) -> Bool {
        total.isFull(beyond: listener.reserve) || listener.gate.isFull()
    }

    /// Takes a place everywhere, or nowhere and says where there is none.
    ///
    /// Where connections wait in the backlog, the gates remember to tell when there is.
    ///
    /// The listener comes first: a full listener with a reserve would otherwise take and give back
    /// a place among all, again and again, and each time wake those that wait for one.
    mutating func enter(_ listener: Listener, _ total: SessionGate) -> PauseReason {
        let awaits = listener.whenFull == .pause
        let reserve = listener.reserve
        guard awaits ? listener.gate.enterOrAwait() : listener.gate.tryEnter() else {
            return .listenerLimit
        }
        guard awaits ? total.enterOrAwait(beyond: reserve) : total.tryEnter(beyond: reserve) else {
            if listener.gate.withdraw() { tellOfRoom() }
            return .totalLimit
        }
        return .none
    }

    mutating func withdraw(_ listener: Listener, _ total: SessionGate) {
        let isListenerAwaited = listener.gate.withdraw()
        let isTotalAwaited = total.withdraw()
        if isListenerAwaited || isTotalAwaited { tellOfRoom() }
    }

    /// Tells all workers that a gate for which some listener waits has room.
    mutating func tellOfRoom() {
        for mailbox in context.mailboxes { mailbox.postOnce(.resume) }
    }
}
#endif
