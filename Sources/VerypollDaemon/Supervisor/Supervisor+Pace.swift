#if Net && OSExt
internal import Verypoll

extension Supervisor {
    /// How long the thread rests where clients of the control socket have used up their time, in
    /// nanoseconds; everything else waits no longer than that.
    private static let restTime: Int64 = 5_000_000

    /// When ``tickControl()`` is due.
    var controlDeadline: ContinuousClock.Instant? {
        control.deadline.map { controlPace.isOver ? max($0, controlPace.resumesAt) : $0 }
    }

    /// Lets the control socket work on an event, unless its time is used up: then the event comes
    /// again.
    func handleControl(_ event: Event) {
        if controlPace.isOver { return }
        let before = ContinuousClock.now
        control.handle(event, now: before, handler: self)
        controlPace.use(.now - before)
    }

    /// Lets the control socket work on what is due, as above.
    func tickControl() {
        let before = ContinuousClock.now
        controlPace.update(now: before)
        if controlPace.isOver { return Thread.pause(nanoseconds: Self.restTime) }
        control.tick(now: before, handler: self)
        controlPace.use(.now - before)
    }
}
#endif
