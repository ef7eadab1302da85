import TestSupport
import Testing
import Verypoll

@testable import VerypollServer

@Suite("ServiceLookup")
struct ServiceLookupTests {
    /// Returns `PRIORITY WEIGHT TARGET:PORT ADDRESSES` for each record.
    private static func lines(_ answer: ServiceAnswer) -> [String] {
        answer.records.map { record in
            let addresses = record.addresses.map { " \($0)" }.joined()
            return "\(record.priority) \(record.weight) \(record.target):\(record.port)\(addresses)"
        }
    }

    private static func smallZone() -> ZoneText {
        var zone = ZoneText()
        zone.add("_app._tcp", priority: 20, weight: 0, port: 8080, target: "three")
        zone.add("_app._tcp", priority: 10, weight: 30, port: 8080, target: "One")
        zone.add("_app._tcp", priority: 10, weight: 10, port: 8081, target: "two")
        zone.add("_app._tcp", priority: 10, weight: 10, port: 8082, target: "nowhere")
        zone.add(host: "one", "192.0.2.1", "2001:db8::1")
        zone.add(host: "two", "192.0.2.2")
        zone.add(host: "three", "2001:db8::3")
        zone.add("_off._tcp", priority: 0, weight: 0, port: 0, target: ".")
        return zone
    }

    private static let smallLines = [
        "10 10 nowhere.example.test:8082",
        "10 30 one.example.test:8080 192.0.2.1 2001:db8::1",
        "10 10 two.example.test:8081 192.0.2.2",
        "20 0 three.example.test:8080 2001:db8::3",
    ]

    @Test(
        "servers have their priority, weight, port and addresses",
        arguments: NameServerProgram.Kind.allCases
    )
    func answers(_ kind: NameServerProgram.Kind) throws {
        let server = try NameServerProgram(kind, Self.smallZone())
        for name in ["_app._tcp.example.test", "_APP._tcp.Example.Test."] {
            let answer = try server.ask(name).get()
            #expect(Self.lines(answer) == Self.smallLines)
            #expect(!answer.isNotOffered)
            // One target has no address.
            #expect(answer.timeToLive == .seconds(30))
        }
        let ready = try server.ask(ZoneText.sign).get()
        #expect(Self.lines(ready) == ["0 0 ns.example.test:1 192.0.2.53"])
        #expect(ready.timeToLive == .seconds(60))
        let off = try server.ask("_off._tcp.example.test").get()
        #expect(off.isNotOffered)
        #expect(off.records.isEmpty)
    }

    @Test(
        "a missing name, and a name without SRV records, are failures",
        arguments: NameServerProgram.Kind.allCases
    )
    func fails(_ kind: NameServerProgram.Kind) throws {
        let server = try NameServerProgram(kind, Self.smallZone())
        let missing = NameLookupFailure(reason: "no such name")
        #expect(server.ask("_none._tcp.example.test") == .failure(missing))
        let other = NameLookupFailure(reason: "it has no SRV records")
        #expect(server.ask("one.example.test") == .failure(other))
        // dnsmasq refuses as well: it has no server to ask.
        let name = kind == .bind ? "_app._tcp.broken.test" : "_app._tcp.elsewhere.test"
        let reason = kind == .bind ? "failed (SERVFAIL)" : "refused the question (REFUSED)"
        let failure = NameLookupFailure(reason: "the name server \(server.address) \(reason)")
        #expect(server.ask(name) == .failure(failure))
    }

    /// Adds 100 servers, the odd ones as backups; each has two addresses.
    private static func addServers(to zone: inout ZoneText) -> [String] {
        var lines: [String] = []
        for number in 100..<200 {
            let priority = number % 2
            zone.add(
                "_many._tcp",
                priority: priority,
                weight: number,
                port: 8000 + number,
                target: "server-with-a-long-name-\(number)"
            )
            zone.add(
                host: "server-with-a-long-name-\(number)",
                "192.0.2.\(number)",
                "2001:db8::\(number)"
            )
            lines.append(
                "\(priority) \(number) server-with-a-long-name-\(number).example.test:\(8000 + number)"
                    + " 192.0.2.\(number) 2001:db8::\(number)"
            )
        }
        return lines.filter { $0.hasPrefix("0") } + lines.filter { $0.hasPrefix("1") }
    }

    @Test("an answer with 100 servers arrives over TCP", arguments: NameServerProgram.Kind.allCases)
    func readsLongAnswers(_ kind: NameServerProgram.Kind) throws {
        var zone = ZoneText()
        let lines = Self.addServers(to: &zone)
        let server = try NameServerProgram(kind, zone)
        let answer = try server.ask("_many._tcp.example.test").get()
        #expect(Self.lines(answer) == lines)
        #expect(answer.timeToLive == .seconds(60))
    }

    @Test("addresses that the answer lacks are looked up")
    func looksUpAddresses() throws {
        var zone = ZoneText()
        let lines = Self.addServers(to: &zone)
        zone.add("_alias._tcp", priority: 0, weight: 0, port: 1, target: "another")
        zone.add(alias: "another", of: "server-with-a-long-name-100")
        zone.add(alias: "_renamed._tcp", of: "_alias._tcp")
        let server = try NameServerProgram(.bind, zone, options: "minimal-responses yes;")
        #expect(Self.lines(try server.ask("_many._tcp.example.test").get()) == lines)
        let renamed = try server.ask("_renamed._tcp.example.test").get()
        #expect(Self.lines(renamed) == ["0 0 another.example.test:1 192.0.2.100 2001:db8::100"])
    }

    @Test("a changed zone has other servers and another time to live")
    func followsZone() throws {
        var zone = Self.smallZone()
        zone.add("_one._tcp", priority: 0, weight: 0, port: 1, target: "one", timeToLive: 7)
        let server = try NameServerProgram(.bind, zone)
        #expect(try server.ask("_one._tcp.example.test").get().timeToLive == .seconds(7))
        var next = ZoneText(serial: 2)
        next.add("_one._tcp", priority: 0, weight: 0, port: 2, target: "one", timeToLive: 5)
        next.add(host: "one", "192.0.2.77")
        try server.replace(next)
        try eventually("the new zone") {
            let answer = try server.ask("_one._tcp.example.test").get()
            guard answer.timeToLive == .seconds(5) else { return false }
            return Self.lines(answer) == ["0 0 one.example.test:2 192.0.2.77"]
        }
    }

    @Test("a text that is not a name is not asked for")
    func rejectsNames() {
        let failure = NameLookupFailure(reason: "it is not a valid DNS name")
        let nobody = [SocketAddress.loopback(port: 1)]
        #expect(ServiceLookup.answer(for: "_app..test", servers: nobody) == .failure(failure))
    }
}
