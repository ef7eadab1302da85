import DaemonTestSupport
import SystemPackage
import Testing

@testable import VerypollConfiguration
@testable import VerypollServer

@Suite("upstream counters")
struct UpstreamCountTests {
    @Test("each end of a session without a server has a refusal, and other ends have none")
    func classifies() {
        let refusals: [(Session.EndReason, UpstreamRefusal)] = [
            (.noServer(.down), .down),
            (.noServer(.unreachable(.connectionRefused)), .unreachable),
            (.noServer(.unreachable(.timedOut)), .unreachable),
            (.noServer(.unreachable(.tooManyOpenFiles)), .resources),
            (.noServer(.unreachable(.addressNotAvailable)), .resources),
            (.noServer(.queueFull), .queueFull),
            (.noServer(.queueTimeout), .queueTimeout),
            (.timedOut(.idle), .timedOut),
        ]
        for (reason, refusal) in refusals {
            #expect(UpstreamRefusal(reason, isSearching: true) == refusal, "\(reason)")
        }
        for reason: Session.EndReason in [
            .completed, .failed(.connectionReset), .serverFailed(.brokenPipe), .serverDown,
            .killed, .drained, .stopped, .handedOff, .notAdmitted(.sourceLimit),
        ] { #expect(UpstreamRefusal(reason, isSearching: true) == nil, "\(reason)") }
        #expect(UpstreamRefusal(.timedOut(.idle), isSearching: false) == nil)
        #expect(UpstreamRefusal(.timedOut(.proxyHeader), isSearching: false) == nil)
    }

    @Test("refusals are counted by reason, and a reloaded upstream keeps the counts")
    func countsRefusals() throws {
        let configuration = try UpstreamConfiguration.test(["10.0.0.1:80"])
        let former = Upstream(configuration)
        for refusal in UpstreamRefusal.allCases { former.refusals.add(refusal) }
        let next = Upstream(configuration, former: former)
        next.refusals.add(.down)
        let counts = UpstreamRefusal.allCases.map { former.refusals.count(of: $0) }
        #expect(counts == [2, 1, 1, 1, 1, 1])
    }

    @Test("the bytes of servers are visible after publishing, separately for each worker")
    func publishesBytes() throws {
        let first = Upstream(try .test(["10.0.0.1:80"]), workers: 2)
        let second = Upstream(try .test(["10.0.0.2:80", "10.0.0.3:80"]), workers: 2)
        let tally = ServerTally(bytesIn: 1, bytesOut: 2)
        var tallies = ServerTallies()
        tallies.adopt([first, second], worker: 1)
        tallies.add(tally, upstream: 0, server: 0)
        tallies.add(tally, upstream: 1, server: 1)
        tallies.add(tally, upstream: 1, server: 1)
        #expect(second.servers[1].tally == ServerTally())
        tallies.publish()
        tallies.publish()
        #expect(first.servers[0].tally == tally)
        #expect(second.servers.map(\.tally) == [ServerTally(), tally + tally])
        #expect(second.servers[1].traffic[0].tally == ServerTally())

        // Unpublished bytes are not lost when other upstreams use the slots.
        tallies.add(tally, upstream: 0, server: 0)
        tallies.adopt([second], worker: 1)
        tallies.add(tally, upstream: 0, server: 0)
        tallies.publish()
        #expect(first.servers[0].tally == tally + tally)
        #expect(second.servers.map(\.tally) == [tally, tally + tally])
    }
}
