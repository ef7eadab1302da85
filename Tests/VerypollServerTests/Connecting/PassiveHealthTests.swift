import DaemonTestSupport
import Synchronization
import Testing

@testable import VerypollConfiguration
@testable import VerypollServer

@Suite("passive health checks")
struct PassiveHealthTests {
    /// A server that three failures in a row take out for 10 seconds.
    private func server() throws -> UpstreamServer {
        let configuration = try UpstreamConfiguration.test(["10.0.0.1:80"])
        let passive = UpstreamConfiguration.PassiveCheck(fall: 3, duration: .seconds(10))
        return UpstreamServer(configuration.servers[0], passive: passive)
    }

    @Test("so many failures in a row eject a server for a time, which only one of them reports")
    func ejects() throws {
        let server = try server()
        #expect(server.failed(now: 1000) == nil)
        #expect(server.failed(now: 1001) == nil)
        #expect(server.isAvailable(now: 1001))
        #expect(server.failed(now: 1002) == .ejected(until: 11_002))
        #expect(!server.isAvailable(now: 1002))
        #expect(!server.isAvailable(now: 11_001))
        #expect(server.isAvailable(now: 11_002))
    }

    @Test("a success ends the row")
    func forgives() throws {
        let server = try server()
        for now in 0..<100 as Range<UInt64> {
            #expect(server.failed(now: now) == nil)
            #expect(server.failed(now: now) == nil)
            #expect(server.connected(now: now) == nil)
        }
        #expect(server.isAvailable(now: 100))
    }

    @Test("failures of those who were on their way to an ejected server do not prolong it")
    func ignoresLateFailures() throws {
        let server = try server()
        for _ in 0..<3 { _ = server.failed(now: 0) }
        for now in 1..<9999 as Range<UInt64> { #expect(server.failed(now: now) == nil) }
        #expect(server.isAvailable(now: 10_000))
    }

    @Test("after the ejection one failure is enough for the next")
    func ejectsAgain() throws {
        let server = try server()
        for _ in 0..<3 { _ = server.failed(now: 0) }
        #expect(server.failed(now: 10_000) == .ejected(until: 20_000))
        #expect(!server.isAvailable(now: 19_999))
        #expect(server.failed(now: 30_000) == .ejected(until: 40_000))
    }

    @Test("after the ejection a success makes it a server like any other, and is reported once")
    func readmits() throws {
        let server = try server()
        for _ in 0..<3 { _ = server.failed(now: 0) }
        #expect(server.connected(now: 10_000) == .readmitted)
        #expect(server.connected(now: 10_001) == nil)
        #expect(server.failed(now: 10_002) == nil)
        #expect(server.failed(now: 10_003) == nil)
        #expect(server.isAvailable(now: 10_003))
        #expect(server.failed(now: 10_004) == .ejected(until: 20_004))
    }

    @Test("a success ends an ejection before its time")
    func endsEarly() throws {
        let server = try server()
        for _ in 0..<3 { _ = server.failed(now: 0) }
        #expect(server.connected(now: 5) == .readmitted)
        #expect(server.isAvailable(now: 5))
    }

    @Test("of threads that fail at once, one reports the ejection")
    func ejectsOnce() throws {
        for _ in 0..<50 {
            let server = try server()
            let reports = Reports()
            let threads = try (0..<4).map { number in
                try Thread(name: "failing/\(number)") {
                    for _ in 0..<10 where server.failed(now: 0) != nil {
                        reports.count.add(1, ordering: .relaxed)
                    }
                }
            }
            for thread in threads { thread.join() }
            try #require(reports.count.load(ordering: .relaxed) == 1)
            #expect(server.counters.failures.load(ordering: .relaxed) == 40)
        }
    }

    @Test("connections and failures are counted")
    func counts() throws {
        let server = try server()
        _ = server.connected(now: 0)
        _ = server.connected(now: 0)
        _ = server.failed(now: 0)
        #expect(server.counters.sessions.load(ordering: .relaxed) == 2)
        #expect(server.counters.failures.load(ordering: .relaxed) == 1)
    }
}

private final class Reports: Sendable {
    let count = Atomic(0)
}
