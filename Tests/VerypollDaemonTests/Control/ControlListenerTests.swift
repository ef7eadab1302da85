import DaemonTestSupport
import Glibc
import Logging
import SystemPackage
import TestSupport
import Testing
import Verypoll

@testable import StrictJSON
@testable import VerypollConfiguration
@testable import VerypollDaemon
@testable import VerypollServer

@Suite("AcceptBackoff and ControlListener")
struct ControlListenerTests {
    private let start = ContinuousClock.now

    @Test("a failure that affects a single client does not pause accepting")
    func ignoresClient() {
        var backoff = AcceptBackoff()
        let isNews = backoff.fail(.connection, now: start)
        #expect(!isNews)
        #expect(backoff.retryAt == nil)
        let hasRecovered = backoff.succeed()
        #expect(!hasRecovered)
    }

    @Test("out of descriptors, it retries every second and logs it once")
    func retriesForResources() {
        var backoff = AcceptBackoff()
        var now = start
        for round in 0..<10 {
            let isNews = backoff.fail(.resources, now: now)
            #expect(isNews == (round == 0))
            #expect(backoff.retryAt == now + .seconds(1))
            now += .seconds(1)
            backoff.retry()
            #expect(backoff.retryAt == nil)
        }
        let recoveries = [backoff.succeed(), backoff.succeed()]
        #expect(recoveries == [true, false])
        let isNews = backoff.fail(.resources, now: now)
        #expect(isNews)
    }

    @Test("a broken socket is retried at growing intervals of up to 64 seconds")
    func backsOff() {
        var backoff = AcceptBackoff()
        let delays = (0..<9).map { _ in
            _ = backoff.fail(.listener, now: start)
            return backoff.retryAt.map { ($0 - start) / .seconds(1) }
        }
        #expect(delays == [1, 2, 4, 8, 16, 32, 64, 64, 64])
        let hasRecovered = backoff.succeed()
        let isNews = backoff.fail(.listener, now: start)
        #expect(hasRecovered && isNews)
        #expect(backoff.retryAt == start + .seconds(1))
    }

    @Test("a shut-down socket is reported and no longer watched, and clients are still served")
    func reportsShutdown() throws {
        var fixture = try ControlFixture()
        let early = try Client(path: fixture.path)
        #expect(try fixture.answers(to: ControlServerTests.ping, from: early) == ["{}"])
        // One client waits in the backlog and is served as well.
        let waiting = try Client(path: fixture.path)
        try waiting.send(ControlServerTests.ping + "\0")
        let descriptor = fixture.listenerDescriptor.rawValue
        try #require(shutdown(descriptor, Int32(SHUT_RDWR)) == 0)
        var now = ContinuousClock.now
        for delay in [1, 2, 4, 8, 16, 32, 64, 64] {
            try fixture.settle(now: now)
            let deadline = fixture.server.deadline
            #expect(deadline == now + .seconds(delay))
            // The socket causes no more events, so there is nothing to do.
            #expect(try fixture.settle(now: now) == 0)
            now += .seconds(delay)
        }
        #expect(try fixture.receiveMessages(1, from: waiting) == ["{}"])
        #expect(try fixture.answers(to: ControlServerTests.ping, from: early) == ["{}"])
        let events = fixture.log.takeEvents()
        #expect(events.map(\.level) == [.error])
        #expect(events.first?.message.hasPrefix("the control socket is broken: it was") == true)
    }
}
