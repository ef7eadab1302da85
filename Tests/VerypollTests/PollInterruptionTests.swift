#if OSPoll
import CTestSupport
import Foundation
import Synchronization
import SystemPackage
import TestSupport
import Testing
import Verypoll

/// Signal handlers and missing system calls affect the whole process, so each test is an exit test.
@Suite("Interrupted polls and older kernels")
struct PollInterruptionTests {
    @Test("a wait interrupted by signal handlers still lasts for its full timeout")
    func retries() async {
        await #expect(processExitsWith: .success) {
            let storm = try SignalStorm()
            var poll = try Poll()
            var events = Events(capacity: 4)
            // The interval of the signals is shorter than the timeout: a wait that started over
            // after each signal would never end.
            repeat {
                let deadline = ContinuousClock.now + .milliseconds(20)
                try poll.block(&events, timeout: .milliseconds(20))
                #expect(events.isEmpty && ContinuousClock.now >= deadline)
                try poll.block(&events, until: deadline + .milliseconds(20))
                #expect(events.isEmpty && ContinuousClock.now >= deadline + .milliseconds(20))
            } while SignalStorm.handled < 20
            #expect(storm.goesOn)
        }
    }

    @Test("a wait without a timeout survives signal handlers, and still reports events")
    func outlasts() async {
        await #expect(processExitsWith: .success) {
            let storm = try SignalStorm()
            var poll = try Poll()
            let waker = try Waker(registry: poll.registry, token: Token(7))
            onThread {
                try eventually("signals") { SignalStorm.handled >= 20 }
                try waker.wake()
            }
            var events = Events(capacity: 4)
            try poll.block(&events)
            #expect(events.map(\.token) == [Token(7)])
            #expect(storm.goesOn && SignalStorm.handled >= 20)
            withExtendedLifetime(waker) {}
        }
    }

    @Test("an interruptible wait throws `interrupted` after a signal handler has run")
    func isInterruptible() async {
        await #expect(processExitsWith: .success) {
            let storm = try SignalStorm()
            var poll = try Poll()
            var events = Events(capacity: 4)
            #expect(throws: Errno.interrupted) { try poll.poll(&events, interruptible: true) }
            #expect(throws: Errno.interrupted) {
                try poll.poll(&events, timeout: .seconds(60), interruptible: true)
            }
            #expect(throws: Errno.interrupted) {
                try poll.poll(&events, until: .now + .seconds(60), interruptible: true)
            }
            #expect(storm.goesOn && events.isEmpty)
        }
    }

    @Test("waits use epoll_pwait2(2) where it exists, and not epoll_wait(2) with its milliseconds")
    func waitsInNanoseconds() async {
        await #expect(processExitsWith: .success) {
            guard ctest_probe(CTEST_EPOLL_PWAIT2) != ENOSYS else { return }
            try #require(ctest_deny(CTEST_EPOLL_WAIT, ENOSYS) == 0)
            #expect(ctest_probe(CTEST_EPOLL_WAIT) == ENOSYS)
            try expectWholeWaits()
        }
    }

    @Test("without epoll_pwait2(2), timeouts round up to milliseconds and never end early")
    func waitsInMilliseconds() async {
        await #expect(processExitsWith: .success) {
            try #require(ctest_deny(CTEST_EPOLL_PWAIT2, ENOSYS) == 0)
            #expect(ctest_probe(CTEST_EPOLL_PWAIT2) == ENOSYS)
            try expectWholeWaits()
            var poll = try Poll()
            let waker = try Waker(registry: poll.registry, token: Token(7))
            for timeout in [Duration.seconds(Int64.max), .seconds(1 << 40), .seconds(1 << 31)] {
                try waker.wake()
                var events = Events(capacity: 4)
                try poll.block(&events, timeout: timeout)
                #expect(events.map(\.token) == [Token(7)])
            }
        }
    }

    @Test("a packet budget over 64 without privileges fails with `notPermitted`")
    func limitsBusyPolling() async {
        await #expect(processExitsWith: .success) {
            let poll = try Poll()
            do throws(Errno) { _ = try poll.busyPolling() } catch { return }
            try #require(ctest_become_nobody() == 0)
            let greedy = BusyPolling(duration: .microseconds(20), packetBudget: 65)
            #expect(throws: Errno.notPermitted) { try poll.setBusyPolling(greedy) }
        }
    }
}

/// Waits with several timeouts; none may end early or throw.
private func expectWholeWaits() throws {
    var poll = try Poll()
    var events = Events(capacity: 4)
    for timeout in [Duration.nanoseconds(1), .nanoseconds(999_999), .nanoseconds(1_000_001)] {
        let start = ContinuousClock.now
        try poll.poll(&events, timeout: timeout)
        #expect(ContinuousClock.now - start >= timeout && events.isEmpty)
    }
}

/// Sends `SIGUSR1`, handled by a counter, to the creating thread every millisecond.
private final class SignalStorm: Sendable {
    private static let count = Atomic(0)
    private let isOver = Atomic(false)
    private let isEnding = Atomic(false)

    /// How often the handler has run.
    static var handled: Int { count.load(ordering: .relaxed) }

    /// Whether signals are still sent; false once the limit is reached.
    var goesOn: Bool { !isOver.load(ordering: .relaxed) }

    init() throws {
        var action = sigaction()
        unsafe action.__sigaction_handler.sa_handler = { _ in
            SignalStorm.count.add(1, ordering: .relaxed)
        }
        // Without SA_RESTART; poll(2) is never restarted anyway.
        try #require(unsafe sigaction(SIGUSR1, &action, nil) == 0)
        // The threads of Swift's cooperative pool block the signal.
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe sigaddset(&signals, SIGUSR1)
        try #require(unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil) == 0)
        let target = pthread_self()
        Thread.detachNewThread { [self] in
            for _ in 0..<20_000 where !isEnding.load(ordering: .relaxed) {
                pthread_kill(target, SIGUSR1)
                usleep(1000)
            }
            isOver.store(true, ordering: .relaxed)
        }
    }

    deinit { isEnding.store(true, ordering: .relaxed) }
}
#endif
