import Glibc
import SystemPackage
import TestSupport
import Testing
import Verypoll
import VerypollControl

@testable import StrictJSON
@testable import VerypollConfiguration
@testable import VerypollDaemon
@testable import VerypollServer

@Suite("ReloadState")
struct ReloadStateTests {
    private static let outcome = ConfigurationReading.Outcome.failure(
        ConfigurationError(file: "/file", "is empty")
    )
    private let now = ContinuousClock.now

    /// A read that waits for the test, as on a file system that hangs.
    private struct HeldReading: ~Copyable {
        let reading: ConfigurationReading
        private let isReleased: Flag
        private let hasRead: Flag
        private let mailbox: Mailbox<SupervisorMessage>
        private var poll: Poll

        /// Starts the read; with `readsFirst`, the file is already read and its check waits.
        init(readsFirst: Bool = false) throws {
            let poll = try Poll()
            let mailbox = try Mailbox<SupervisorMessage>(registry: poll.registry, token: Token(1))
            let (isReleased, hasRead) = (Flag(), Flag())
            reading = try ConfigurationReading(supervisor: mailbox) { didRead in
                if readsFirst {
                    didRead()
                    hasRead.set()
                }
                while !isReleased.isSet { usleep(1000) }
                didRead()
                return outcome
            }
            (self.isReleased, self.hasRead) = (isReleased, hasRead)
            self.mailbox = mailbox
            self.poll = poll
            if readsFirst { while !hasRead.isSet { usleep(1000) } }
        }

        deinit { isReleased.set() }

        /// Lets the read finish, and returns the message to the supervisor.
        mutating func end() throws -> SupervisorMessage {
            isReleased.set()
            var events = Events(capacity: 1)
            while true {
                try poll.poll(&events, timeout: .seconds(60))
                try #require(!events.isEmpty, "the read has not finished")
                if let message = mailbox.takeAll().first { return message }
            }
        }
    }

    @Test("a read that takes over 10 seconds is abandoned, and its late end is recorded")
    func abandons() throws {
        var state = ReloadState()
        var held = try HeldReading()
        state.request()
        state.begin()
        state.begin(held.reading, now: now)
        #expect(state.isBusy)
        #expect(state.deadline == now + .seconds(10))
        let isEarly = state.abandonIfLate(now: now + .seconds(10) - .nanoseconds(1))
        #expect(!isEarly)
        let isLate = state.abandonIfLate(now: now + .seconds(10))
        #expect(isLate)
        #expect(!state.isBusy)
        #expect(state.deadline == nil)
        #expect(state.hangCount == 1)
        let again = state.abandonIfLate(now: now + .seconds(30))
        #expect(!again)
        guard case .readingEnded = try held.end() else {
            Issue.record("a file that was read too late must not be applied")
            return
        }
        state.endHang()
        #expect(state.hangCount == 0)
        let outcome = state.takeOutcome()
        #expect(outcome == nil)
    }

    @Test("a file that was read in time has longer to be checked")
    func waitsForCheck() throws {
        var state = ReloadState()
        var held = try HeldReading(readsFirst: true)
        state.begin(held.reading, now: now)
        let isAbandoned = state.abandonIfLate(now: now + .seconds(11))
        #expect(!isAbandoned)
        #expect(state.isBusy)
        #expect(state.hangCount == 0)
        #expect(state.deadline == now + .seconds(21))
        guard case .configurationRead(let outcome) = try held.end() else {
            Issue.record("the outcome is lost")
            return
        }
        state.finishReading(outcome)
        #expect(state.isBusy)
        let taken = state.takeOutcome()
        #expect(throws: ConfigurationError.self) { try taken?.get() }
        #expect(!state.isBusy)
    }

    @Test("after four hung reads, no new one starts until one has finished")
    func limitsHanging() throws {
        var state = ReloadState()
        for count in 1...ReloadState.hangLimit {
            let held = try HeldReading()
            #expect(state.mayRead)
            state.begin(held.reading, now: now)
            let isAbandoned = state.abandonIfLate(now: now + .seconds(10))
            #expect(isAbandoned)
            #expect(state.hangCount == count)
        }
        #expect(!state.mayRead)
        state.endHang()
        #expect(state.mayRead)
    }

    @Test("calls during a reload are answered by the next one")
    func answersLater() {
        var state = ReloadState()
        let first = CallID(slot: 0, client: 1, call: 1)
        let second = CallID(slot: 1, client: 2, call: 1)
        state.request(for: first)
        #expect(state.isDue)
        state.begin()
        #expect(!state.isDue)
        state.request(for: second)
        state.request()
        #expect(state.isDue)
        let answered = state.takeCallers()
        #expect(answered == [first])
        let again = state.takeCallers()
        #expect(again == [])
        state.begin()
        #expect(state.callers == [second])
    }

    @Test("a reload is in progress until its outcome is taken, which is possible once")
    func takesOutcomeOnce() {
        var state = ReloadState()
        #expect(!state.isBusy)
        state.finishReading(Self.outcome)
        #expect(state.isBusy)
        let outcome = state.takeOutcome()
        #expect(outcome != nil)
        #expect(!state.isBusy)
        let again = state.takeOutcome()
        #expect(again == nil)
    }

    @Test("a reload is known by the first process that requested it, if any")
    func knowsRequester() {
        var state = ReloadState()
        let first = Caller(uid: 1, gid: 1, pid: 1)
        state.request(by: first)
        state.request(by: Caller(uid: 2, gid: 2, pid: 2))
        #expect(state.requester == nil)
        state.begin()
        #expect(state.requester == first)
        state.request()
        state.begin()
        #expect(state.requester == nil)
    }
}
