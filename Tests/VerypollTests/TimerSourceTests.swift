#if OSExt
import SystemPackage
import TestSupport
import Testing
import Verypoll

@Suite("TimerSource")
struct TimerSourceTests {
    @Test("a timer that was not started does not fire")
    func rests() throws {
        var poll = try Poll()
        let timer = try TimerSource()
        try poll.registry.register(timer, token: Token(1), interest: .readable)
        #expect(try timer.expirations() == nil)
        #expect(try timer.remaining() == nil)
        #expect(try pendingEvents(in: &poll).isEmpty)
    }

    @Test("a timer fires once, as an event and never early", arguments: [false, true])
    func runsOut(countsSuspension: Bool) throws {
        var poll = try Poll()
        let timer = try TimerSource(countsSuspension: countsSuspension)
        try poll.registry.register(timer, token: Token(1), interest: .readable)
        for delay in [Duration.nanoseconds(1), .microseconds(1500), .nanoseconds(2_000_001)] {
            let start = ContinuousClock.now
            try timer.start(after: delay)
            let event = try expectEvent(Token(1), from: &poll)
            #expect(ContinuousClock.now - start >= delay)
            #expect(event.isReadable)
            #expect(try timer.expirations() == 1)
            #expect(try timer.expirations() == nil)
            #expect(try timer.remaining() == nil)
        }
        #expect(try pendingEvents(in: &poll).isEmpty)
    }

    @Test("a time of zero or less fires at once", arguments: [Duration.zero, .seconds(-1)])
    func runsOutAtOnce(delay: Duration) throws {
        var poll = try Poll()
        let timer = try TimerSource()
        try poll.registry.register(timer, token: Token(1), interest: .readable)
        try timer.start(after: delay)
        _ = try expectEvent(Token(1), from: &poll)
        #expect(try timer.expirations() == 1)
    }

    @Test("a timer with an interval fires repeatedly, and counts unread expirations")
    func repeats() throws {
        var poll = try Poll()
        let timer = try TimerSource()
        try poll.registry.register(timer, token: Token(1), interest: .readable)
        let start = ContinuousClock.now
        try timer.start(after: .microseconds(100), every: .microseconds(500))
        var count = 0
        while count < 10 {
            _ = try expectEvent(Token(1), from: &poll)
            while let expired = try timer.expirations() { count += expired }
        }
        #expect(ContinuousClock.now - start >= .microseconds(100 + 9 * 500))
        #expect(try timer.remaining() != nil)

        try timer.start(after: .nanoseconds(1), every: .microseconds(1))
        try eventually("more than one expiration") { try timer.expirations() ?? 0 > 1 }
    }

    @Test("restarting discards the previous time, even one that has expired")
    func restarts() throws {
        let timer = try TimerSource()
        try timer.start(after: .zero)
        try timer.fileDescriptor.wait()
        try timer.start(after: .seconds(1000))
        #expect(try timer.expirations() == nil)
        let remaining = try #require(try timer.remaining())
        #expect(remaining > .seconds(900) && remaining <= .seconds(1000))
    }

    @Test("a canceled timer causes no events, and discards an unread expiration")
    func cancels() throws {
        var poll = try Poll()
        let timer = try TimerSource()
        try poll.registry.register(timer, token: Token(1), interest: .readable)
        try timer.start(after: .zero, every: .milliseconds(1))
        _ = try expectEvent(Token(1), from: &poll)
        try timer.cancel()
        #expect(try timer.expirations() == nil)
        #expect(try timer.remaining() == nil)
        try timer.start(after: .zero)
        _ = try expectEvent(Token(1), from: &poll)
        #expect(try timer.expirations() == 1)
    }

    @Test("an interval of zero or less traps, and a tiny one does not")
    func refusesIntervals() async throws {
        for interval in [0, -1] {
            let result = await #expect(
                processExitsWith: .failure,
                observing: [\.standardErrorContent]
            ) { [interval = interval as Int] in
                let timer = try TimerSource()
                survives { try timer.start(after: .seconds(1), every: .seconds(interval)) }
            }
            expectMessage("the interval of a timer must be positive", of: result)
        }
        let timer = try TimerSource()
        let interval = Duration(secondsComponent: 0, attosecondsComponent: 1)
        try timer.start(after: .seconds(-1), every: interval)
        try timer.fileDescriptor.wait()
        #expect(try timer.expirations() != nil)
    }

    @Test("a time of any length is accepted")
    func clamps() throws {
        let timer = try TimerSource()
        for delay in [Duration.seconds(Int64.max), .seconds(1 << 40)] {
            try timer.start(after: delay, every: delay)
            #expect(try timer.expirations() == nil)
            #expect(try #require(try timer.remaining()) > .seconds(1 << 30))
        }
    }
}
#endif
