#if Net && OSExt
internal import Verypoll

extension Supervisor {
    /// How long the thread rests where clients of the control socket have used up their time, in
    /// nanoseconds; everything else waits no longer than that.
    private static let restTime: Int64 = 50_000_000

    /// When ``tickControl()`` is due.
    var controlDeadline: ContinuousClock.Instant? {
        controlPace.isOver ? controlPace.resumesAt : control.deadline
    }

    /// Lets the control socket work on an event, unless its time is used up: then the event comes
    /// again.
    func handleControl(_ event: Event) {
        if controlPace.isOver { return }
        let before = ThreadClock.time()
        control.handle(event, handler: self)
        controlPace.use(ThreadClock.time() - before)
    }

    /// Lets the control socket work on what is due, as above.
    func tickControl() {
        let now = ContinuousClock.now
        controlPace.update(now: now)
        if controlPace.isOver { return Thread.pause(nanoseconds: Self.restTime) }
        let before = ThreadClock.time()
        control.tick(now: now, handler: self)
        controlPace.use(ThreadClock.time() - before)
    }
}
#endif
