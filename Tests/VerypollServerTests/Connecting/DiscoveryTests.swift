import Testing
import Verypoll

@testable import VerypollConfiguration
@testable import VerypollServer

@Suite("Discovery of servers")
struct DiscoveryTests {
    @Test("the records of an answer become servers, and the upstream awaits the first answer")
    func finds() throws {
        var fixture = try DiscoveryFixture()
        #expect(fixture.servers == [])
        #expect(fixture.upstream.awaitsServices)
        #expect(
            fixture.answer(.records(.test(1, weight: 0), .test(2, weight: 65535)))
                == "info app: _app._tcp.example has 2 servers: 10.0.0.1:80, 10.0.0.2:80"
        )
        #expect(fixture.servers == ["10.0.0.1:80", "10.0.0.2:80"])
        #expect(fixture.upstream.servers.map(\.weight) == [0, 65535])
        #expect(!fixture.upstream.awaitsServices)
        #expect(fixture.discovery.hasChanged)
        let origin = fixture.upstream.servers[0].origin
        #expect(origin?.target == "host1.example" && origin?.service == "_app._tcp.example")
    }

    @Test(
        "the next question comes after the time to live, within the configured bounds",
        arguments: [(0, 1), (1, 1), (30, 30), (300, 300), (86_400, 300)]
    )
    func honorsLifetime(lifetime: Int, expected: Int) throws {
        var fixture = try DiscoveryFixture()
        _ = fixture.answer(.records(.test(1), lasting: lifetime))
        #expect(fixture.delay == .seconds(expected))
    }

    @Test("the bounds of the time to live can be configured")
    func honorsBounds() throws {
        let keys = #", "resolve": {"atLeast": "7s", "atMost": "9s"}"#
        var fixture = try DiscoveryFixture(keys: keys)
        _ = fixture.answer(.records(.test(1), lasting: 1))
        #expect(fixture.delay == .seconds(7))
        fixture.advance()
        _ = fixture.answer(.records(.test(1), lasting: 60))
        #expect(fixture.delay == .seconds(9))
    }

    @Test("failures are retried after growing pauses, and the last good answer stays")
    func keepsAnswer() throws {
        var fixture = try DiscoveryFixture(keys: #", "resolve": {"atMost": "10s"}"#)
        _ = fixture.answer(.records(.test(1), lasting: 10))
        fixture.discovery.noteApplied()
        fixture.advance()
        var delays: [Duration?] = []
        var lines: [String?] = []
        for reason in ["SERVFAIL", "SERVFAIL", "timed out", "timed out", "timed out"] {
            lines.append(fixture.answer(.failing(reason)))
            delays.append(fixture.delay)
            fixture.advance()
        }
        #expect(delays == [1, 2, 4, 8, 10].map { Duration.seconds($0) })
        let begin = "warning app: _app._tcp.example is not found: "
        #expect(
            lines.compactMap { $0 } == [
                begin + "SERVFAIL; the answer of 10s ago is kept",
                begin + "timed out; the answer of 13s ago is kept",
            ]
        )
        #expect(fixture.servers == ["10.0.0.1:80"])
        #expect(!fixture.discovery.hasChanged)
        #expect(fixture.discovery.services[0].failureCount == 5)
        let line = "info app: _app._tcp.example is found again, as before"
        #expect(fixture.answer(.records(.test(1), lasting: 10)) == line)
        fixture.advance()
        #expect(fixture.answer(.failing("SERVFAIL")) != nil)
        #expect(fixture.delay == .seconds(1))
    }

    @Test("the first answer is awaited, with pauses of 5 seconds at most")
    func awaitsAnswer() throws {
        var fixture = try DiscoveryFixture()
        let line = "warning app: _app._tcp.example is not found: NXDOMAIN; it has no servers yet"
        #expect(fixture.answer(.failing("NXDOMAIN")) == line)
        var delays: [Duration?] = []
        for _ in 0..<5 {
            delays.append(fixture.delay)
            fixture.advance()
            _ = fixture.answer(.failing("NXDOMAIN"))
        }
        #expect(delays == [1, 2, 4, 5, 5].map { Duration.seconds($0) })
        #expect(!fixture.discovery.hasChanged)
        #expect(fixture.upstream.awaitsServices)
        #expect(fixture.servers == [])
        fixture.advance()
        _ = fixture.answer(.records(.test(1)))
        #expect(fixture.discovery.hasChanged)
        #expect(!fixture.upstream.awaitsServices)
    }

    @Test("a service that is not offered has no servers, and is not a failure")
    func isNotOffered() throws {
        var fixture = try DiscoveryFixture()
        _ = fixture.answer(.records(.test(1)))
        fixture.discovery.noteApplied()
        fixture.advance()
        let text = "is not offered (its target is \".\"), so it has no servers"
        #expect(fixture.answer(.notOffered) == "warning app: _app._tcp.example \(text)")
        #expect(fixture.servers == [])
        #expect(fixture.discovery.hasChanged)
        #expect(fixture.delay == .seconds(30))
        fixture.advance()
        #expect(fixture.answer(.notOffered) == nil)
    }

    @Test("the log names the servers that are new and those that are gone")
    func tellsDifference() throws {
        var fixture = try DiscoveryFixture()
        _ = fixture.answer(.records(.test(1), .test(2)))
        fixture.advance()
        #expect(fixture.answer(.records(.test(2), .test(1))) == nil)
        fixture.advance()
        let line = fixture.answer(.records(.test(2), .test(3)))
        let text = "now has 2 servers; new: 10.0.0.3:80; gone: 10.0.0.1:80"
        #expect(line == "info app: _app._tcp.example \(text)")
    }

    @Test("a target whose address is not found keeps its last addresses")
    func keepsAddresses() throws {
        var fixture = try DiscoveryFixture()
        _ = fixture.answer(.records(.test(1), .test(2)))
        fixture.advance()
        _ = fixture.answer(.records(.test(1, isFound: false), .test(2), .test(3, isFound: false)))
        #expect(fixture.servers == ["10.0.0.1:80", "10.0.0.2:80"])
    }

    @Test("a target keeps its last addresses of a family whose question has failed")
    func keepsFamily() throws {
        func record(_ addresses: IPAddress...) -> ServiceRecord {
            ServiceRecord(
                priority: 0,
                weight: 1,
                port: 80,
                target: "a.example",
                addresses: addresses
            )
        }
        func answer(_ record: ServiceRecord, unknown: IPAddress.Family?) -> DiscoveryFixture.Result
        {
            let missing = unknown.map { ServiceAnswer.Unknown(target: "a.example", family: $0) }
            return .success(
                ServiceAnswer(
                    records: [record],
                    timeToLive: .seconds(1),
                    unknown: Set([missing].compactMap { $0 })
                )
            )
        }
        let (four, six) = (IPAddress(v4: 0x0A00_0001), IPAddress.loopback(.v6))
        var fixture = try DiscoveryFixture()
        for (record, unknown) in [
            (record(four, six), nil), (record(four), .v6), (record(six), .v4), (record(), .v4),
        ] as [(ServiceRecord, IPAddress.Family?)] {
            _ = fixture.answer(answer(record, unknown: unknown))
            #expect(fixture.servers == ["10.0.0.1:80", "[::1]:80"])
            fixture.advance()
        }
        _ = fixture.answer(answer(record(four), unknown: nil))
        #expect(fixture.servers == ["10.0.0.1:80"])
    }

    @Test("an answer in which no target has an address is a failure")
    func needsAddresses() throws {
        var fixture = try DiscoveryFixture()
        let line = fixture.answer(.records(.test(1, isFound: false)))
        #expect(line?.contains("no target has an address") == true)
        fixture.advance()
        #expect(fixture.answer(.records())?.contains("it has no SRV records") == true)
    }

    @Test("priorities are tiers, and those of a backup come after all others")
    func ranks() throws {
        let servers = """
            "10.0.0.9:80", {"srv": "_b._tcp.example", "backup": true}, {"srv": "_a._tcp.example"}
            """
        var fixture = try DiscoveryFixture(servers)
        let records = DiscoveryFixture.Result.records(
            .test(1, priority: 10),
            .test(2, priority: 20),
            .test(3, priority: 20),
            .test(4, priority: 65535)
        )
        let others = DiscoveryFixture.Result.records(.test(5, priority: 1), .test(6, priority: 2))
        _ = fixture.answer(records)
        _ = fixture.answer(others)
        let tiers = fixture.upstream.servers.map { "\($0.address) \($0.tier)" }
        let backups = [(1, 65536), (2, 65537), (3, 65537), (4, 65538)]
        #expect(
            tiers == ["10.0.0.9:80 0"] + backups.map { "10.0.0.\($0):80 \($1)" }
                + ["10.0.0.5:80 0", "10.0.0.6:80 1"]
        )
    }

    @Test("a server that the file or another service names too is used once")
    func mergesServers() throws {
        let servers = #""10.0.0.1:80", {"srv": "a.example"}, {"srv": "b.example"}"#
        var fixture = try DiscoveryFixture(servers)
        _ = fixture.answer(.records(.test(1), .test(2)))
        _ = fixture.answer(.records(.test(2), .test(3)))
        #expect(fixture.servers == ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"])
    }

    @Test("a service has at most 1,024 servers, the most preferred ones")
    func limits() throws {
        var fixture = try DiscoveryFixture()
        let records = (1...2000).map { ServiceRecord.test($0, priority: $0 > 1000 ? 1 : 0) }
        _ = fixture.answer(.success(ServiceAnswer(records: records, timeToLive: .seconds(1))))
        #expect(fixture.servers.count == 1024)
        #expect(fixture.upstream.servers.count { $0.tier == 0 } == 1000)
    }

    @Test("the settings of the entry apply to each server")
    func appliesSettings() throws {
        let entry = #"{"srv": "a.example", "maxSessions": 7, "state": "drain", "backup": true}"#
        var fixture = try DiscoveryFixture(entry)
        _ = fixture.answer(.records(.test(1), .test(2)))
        let servers = fixture.upstream.servers
        #expect(servers.map(\.maxSessions) == [7, 7])
        #expect(servers.map(\.state) == [.drain, .drain])
        #expect(servers.map(\.backup) == [true, true])
    }

    @Test("a reload keeps the answers of services that remain")
    func reloads() throws {
        var fixture = try DiscoveryFixture()
        _ = fixture.answer(.records(.test(1), lasting: 300))
        let keys = #", "resolve": {"atMost": "2s"}"#
        let services = #"{"srv": "_app._tcp.example"}, {"srv": "new.example"}"#
        let next = try DiscoveryFixture.configuration(services, keys: keys)
        // The candidate of the reload already has the servers that are known.
        let candidate = fixture.discovery.effective(next).upstreams[0]
        #expect(candidate.servers.count == 1 && candidate.awaitsServices)
        fixture.discovery.adopt(next, now: fixture.now)
        #expect(fixture.discovery.takeQuestion(now: fixture.now)?.name == "new.example")
        #expect(fixture.delay == .seconds(2))
        let again = fixture.discovery.effective(next).upstreams[0]
        #expect(again.servers.map(\.address.description) == ["10.0.0.1:80"])
    }

    @Test("a reload asks again at once what has failed")
    func reloadsFailure() throws {
        var fixture = try DiscoveryFixture()
        _ = fixture.answer(.records(.test(1), lasting: 10))
        for _ in 0..<4 {
            fixture.advance()
            _ = fixture.answer(.failing("SERVFAIL"))
        }
        #expect(fixture.delay == .seconds(8))
        fixture.discovery.adopt(fixture.configuration, now: fixture.now)
        #expect(fixture.delay == .zero)
        _ = fixture.answer(.failing("SERVFAIL"))
        #expect(fixture.delay == .seconds(1))
    }

    @Test("at most four questions are asked at a time")
    func limitsQuestions() throws {
        let names = (1...6).map { #"{"srv": "s\#($0).example"}"# }.joined(separator: ", ")
        var fixture = try DiscoveryFixture(names)
        let now = fixture.now
        let asked = (1...6).compactMap { _ in fixture.discovery.takeQuestion(now: now) }
        #expect(asked.map(\.name) == (1...4).map { "s\($0).example" })
        #expect(fixture.discovery.deadline == nil)
        _ = fixture.discovery.note(.notOffered, to: asked[0], now: now)
        #expect(fixture.discovery.takeQuestion(now: now)?.name == "s5.example")
    }

    @Test("servers of restored sessions are provisional until the first good answer")
    func keepsProvisional() throws {
        let known = [1, 2].map { SocketAddress(IPAddress(v4: 0x0A00_0000 + $0), port: 80) }
        var fixture = try DiscoveryFixture(restored: ["app": known.map { .tcp($0) }])
        #expect(fixture.upstream.servers.map(\.isProvisional) == [true, true])
        _ = fixture.answer(.failing("timed out"))
        #expect(fixture.upstream.servers.map(\.isProvisional) == [true, true])
        fixture.advance()
        _ = fixture.answer(.records(.test(2)))
        #expect(fixture.servers == ["10.0.0.2:80"])
        #expect(fixture.upstream.servers.map(\.isProvisional) == [false])
    }
}
