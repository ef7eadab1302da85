extension Worker {
    /// Tells those who monitor the daemon, if there are any, that a session is there or has ended.
    func announce(_ session: borrowing Session, endedBecause reason: Session.EndReason? = nil) {
        guard context.sessionEvents.areWanted else { return }
        let event = SessionEvents.Event(
            content: .session(snapshot(of: session), reason: reason?.description),
            timestamp: WallClock.microseconds()
        )
        context.sessionEvents.post(event)
    }

    /// Tells those who monitor the daemon that this worker accepts on a listener, or why not.
    package func announce(_ reason: PauseReason, of listener: Int) {
        guard context.sessionEvents.areWanted else { return }
        let name = context.listeners[listener].name
        let event = SessionEvents.Event(
            content: .pause(reason, worker: context.index, listener: name),
            timestamp: WallClock.microseconds()
        )
        context.sessionEvents.post(event)
    }
}
