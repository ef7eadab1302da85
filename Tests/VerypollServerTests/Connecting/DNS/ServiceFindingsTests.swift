import Testing
import Verypoll

@testable import VerypollServer

@Suite("ServiceFindings")
struct ServiceFindingsTests {
    private typealias Bytes = DNSBytes

    private static func question(_ name: String = Bytes.service) throws -> DNSQuestion {
        DNSQuestion(name: try #require(DNSName(name)), type: .srv)
    }

    private static func findings(
        flags: UInt16 = 0x8180,
        _ answers: [[UInt8]],
        additional: [[UInt8]] = []
    ) throws -> ServiceFindings {
        let bytes = Bytes.message(flags: flags, answers: answers, additional: additional)
        return try ServiceFindings(try DNSMessage(bytes), to: try question())
    }

    /// Returns `PRIORITY WEIGHT TARGET:PORT ADDRESSES` for each record.
    private static func lines(_ answer: ServiceAnswer) -> [String] {
        answer.records.map { record in
            let addresses = record.addresses.map { " \($0)" }.joined()
            return "\(record.priority) \(record.weight) \(record.target):\(record.port)\(addresses)"
        }
    }

    @Test("records are sorted by priority, target and port, and each server is there once")
    func sorts() throws {
        let findings = try Self.findings([
            Bytes.srv(Bytes.service, 2, 1, 80, "a.test"),
            Bytes.srv(Bytes.service, 1, 7, 81, "B.test"),
            Bytes.srv(Bytes.service, 1, 1, 80, "b.test"),
            Bytes.srv(Bytes.service, 1, 9, 80, "B.test"),
            Bytes.srv(Bytes.service, 1, 9, 80, "b.TEST"),
            Bytes.srv(Bytes.service, 1, 0, 90, "a.test"),
        ])
        #expect(
            Self.lines(findings.answer) == [
                "1 0 a.test:90", "1 9 b.test:80", "1 7 b.test:81", "2 1 a.test:80",
            ]
        )
    }

    @Test("additional addresses are used for the targets only")
    func usesAdditional() throws {
        let findings = try Self.findings(
            [
                Bytes.srv(Bytes.service, 0, 0, 80, "a.test"),
                Bytes.srv(Bytes.service, 0, 0, 80, "b.test"),
            ],
            additional: [
                Bytes.address("A.test", "2001:db8::1"), Bytes.address("a.test", "192.0.2.9"),
                Bytes.address("a.test", "192.0.2.1"), Bytes.address("a.test", "192.0.2.9"),
                Bytes.address("c.test", "192.0.2.66", timeToLive: 1),
                Bytes.address(Bytes.service, "192.0.2.67", timeToLive: 1),
                Bytes.alias("b.test", of: "c.test", timeToLive: 1),
            ]
        )
        let b = try #require(DNSName("b.test"))
        #expect(
            findings.questions == [
                DNSQuestion(name: b, type: .a), DNSQuestion(name: b, type: .aaaa),
            ]
        )
        #expect(
            Self.lines(findings.answer) == [
                "0 0 a.test:80 192.0.2.1 192.0.2.9 2001:db8::1", "0 0 b.test:80",
            ]
        )
        #expect(findings.answer.timeToLive == .seconds(30))
    }

    @Test("a target with additional addresses of one type only is asked for the other one")
    func asksForOtherType() throws {
        let findings = try Self.findings(
            [
                Bytes.srv(Bytes.service, 0, 0, 80, "a.test"),
                Bytes.srv(Bytes.service, 0, 0, 80, "b.test"),
            ],
            additional: [
                Bytes.address("a.test", "192.0.2.1"), Bytes.address("b.test", "2001:db8::1"),
            ]
        )
        let (a, b) = (try #require(DNSName("a.test")), try #require(DNSName("b.test")))
        #expect(
            findings.questions == [
                DNSQuestion(name: a, type: .aaaa), DNSQuestion(name: b, type: .a),
            ]
        )
    }

    @Test("a question for addresses that fails leaves them unknown, for 30 seconds at most")
    func notesFailures() throws {
        var findings = try Self.findings(
            [Bytes.srv(Bytes.service, 0, 0, 80, "A.test", timeToLive: 90)],
            additional: [Bytes.address("a.test", "192.0.2.1", timeToLive: 90)]
        )
        for question in findings.questions { findings.noteFailure(of: question) }
        #expect(findings.answer.unknown == [.init(target: "a.test", family: .v6)])
        #expect(findings.answer.timeToLive == .seconds(30))
        #expect(findings.questions.isEmpty)
    }

    @Test("records with port 0 name no server")
    func ignoresPortZero() throws {
        let zero = Bytes.srv(Bytes.service, 0, 0, 0, "a.test")
        let some = try Self.findings([zero, Bytes.srv(Bytes.service, 0, 0, 80, "b.test")])
        #expect(Self.lines(some.answer) == ["0 0 b.test:80"])
        let failure = #expect(throws: NameLookupFailure.self) { try Self.findings([zero]) }
        #expect(failure?.description == "all its SRV records have port 0")
    }

    @Test("addresses are not read from the answer section")
    func ignoresAnswers() throws {
        let findings = try Self.findings([
            Bytes.srv(Bytes.service, 0, 0, 80, "a.test"), Bytes.address("a.test", "192.0.2.66"),
        ])
        #expect(findings.answer.records[0].addresses.isEmpty)
    }

    @Test("each target is asked for once, and its answer may use an alias")
    func addsAnswers() throws {
        var findings = try Self.findings([
            Bytes.srv(Bytes.service, 0, 1, 80, "a.test", timeToLive: 90),
            Bytes.srv(Bytes.service, 0, 1, 81, "a.test", timeToLive: 90),
        ])
        let questions = findings.questions
        #expect(questions.count == 2)
        let first = Bytes.message(
            questions: [Bytes.question("a.test", type: 1)],
            answers: [
                Bytes.alias("a.test", of: "real.test", timeToLive: 40),
                Bytes.address("real.test", "192.0.2.1", timeToLive: 70),
                Bytes.address("other.test", "192.0.2.66", timeToLive: 1),
            ]
        )
        findings.add(try DNSMessage(first), to: questions[0])
        let second = Bytes.message(
            flags: 0x8183,
            questions: [Bytes.question("a.test", type: 28)]
        )
        findings.add(try DNSMessage(second), to: questions[1])
        #expect(
            Self.lines(findings.answer) == ["0 1 a.test:80 192.0.2.1", "0 1 a.test:81 192.0.2.1"]
        )
        #expect(findings.answer.timeToLive == .seconds(40))
        #expect(findings.questions.isEmpty)
    }

    @Test("the shortest time to live of the records, aliases and used addresses counts")
    func minimizesTimeToLive() throws {
        func seconds(_ srv: UInt32, _ alias: UInt32, _ address: UInt32) throws -> Duration {
            try Self.findings(
                [
                    Bytes.alias(Bytes.service, of: "real.test", timeToLive: alias),
                    Bytes.srv("real.test", 0, 0, 80, "a.test", timeToLive: srv),
                ],
                additional: [Bytes.address("a.test", "192.0.2.1", timeToLive: address)]
            ).answer.timeToLive
        }
        #expect(try seconds(70, 80, 90) == .seconds(70))
        #expect(try seconds(90, 70, 80) == .seconds(70))
        #expect(try seconds(80, 90, 70) == .seconds(70))
        #expect(try seconds(0x8000_0001, 90, 70) == .zero)
        #expect(try seconds(86_400, 86_400, 86_400) == .seconds(86_400))
    }

    @Test("whole seconds since the records arrived are no longer time to live")
    func ages() throws {
        let answer = try Self.findings([Bytes.srv(Bytes.service, 0, 0, 0, ".")]).answer
        let life = answer.timeToLive
        #expect(life > .seconds(20))
        #expect(answer.aged(by: .milliseconds(999)) == answer)
        #expect(answer.aged(by: .milliseconds(6999)).timeToLive == life - .seconds(6))
        #expect(answer.aged(by: life + .seconds(1)).timeToLive == .zero)
        #expect(answer.aged(by: .seconds(9)).isNotOffered)
    }

    @Test("an answer with a target without an address is valid for 30 seconds at most")
    func limitsIncompleteAnswers() throws {
        let long = try Self.findings([Bytes.srv(Bytes.service, 0, 0, 80, "a.test")])
        #expect(long.answer.timeToLive == .seconds(30))
        let short = try Self.findings([
            Bytes.srv(Bytes.service, 0, 0, 80, "a.test", timeToLive: 5)
        ])
        #expect(short.answer.timeToLive == .seconds(5))
    }

    @Test("the sole target . means that the service is not offered")
    func readsNotOffered() throws {
        let alone = try Self.findings([Bytes.srv(Bytes.service, 0, 0, 0, ".", timeToLive: 500)])
        #expect(alone.answer.isNotOffered)
        #expect(alone.answer.records.isEmpty)
        #expect(alone.answer.timeToLive == .seconds(500))
        #expect(alone.questions.isEmpty)
        let beside = try Self.findings([
            Bytes.srv(Bytes.service, 0, 0, 0, "."), Bytes.srv(Bytes.service, 9, 0, 80, "a.test"),
        ])
        #expect(!beside.answer.isNotOffered)
        #expect(Self.lines(beside.answer) == ["9 0 a.test:80"])
    }

    @Test("an answer without SRV records is a failure, which says whether the name exists")
    func failsWithoutRecords() throws {
        #expect(throws: NameLookupFailure(reason: "no such name")) {
            try Self.findings(flags: 0x8183, [])
        }
        #expect(throws: NameLookupFailure(reason: "it has no SRV records")) {
            try Self.findings([Bytes.address(Bytes.service, "192.0.2.1")])
        }
        #expect(throws: NameLookupFailure(reason: "it has no SRV records")) {
            try Self.findings([Bytes.srv("other.test", 0, 0, 80, "a.test")])
        }
    }

    @Test("of too many records those of the lowest priorities remain, and of addresses the lowest")
    func limits() throws {
        let records = (0..<1100).map {
            Bytes.srv(Bytes.service, UInt16(2000 - $0), 0, 80, "a.test")
        }
        let addresses = (0..<40).map { Bytes.address("a.test", "192.0.2.\(240 - $0)") }
        let answer = try Self.findings(records, additional: addresses).answer
        #expect(answer.records.map(\.priority) == (901..<901 + 1024).map { UInt16($0) })
        #expect(answer.droppedCount == 76)
        #expect(answer.records[0].addresses.count == 32)
        #expect(answer.records[0].addresses.first == IPAddress("192.0.2.201"))
    }
}
