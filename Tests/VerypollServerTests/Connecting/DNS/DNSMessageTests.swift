import Testing
import Verypoll

@testable import VerypollServer

@Suite("DNSMessage")
struct DNSMessageTests {
    private typealias Bytes = DNSBytes

    private static func question() throws -> DNSQuestion {
        DNSQuestion(name: try #require(DNSName(Bytes.service)), type: .srv)
    }

    @Test("a question has the form of RFC 1035, and may allow longer answers as in RFC 6891")
    func writesQuestions() throws {
        let question = try Self.question()
        let plain = Bytes.message(flags: 0x0100)
        #expect(question.message(identifier: 7, extended: false) == plain)
        let option: [UInt8] = [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]
        let extended = Bytes.message(flags: 0x0100, additional: [option])
        #expect(question.message(identifier: 7, extended: true) == extended)
        let message = try DNSMessage(extended)
        #expect(message.question == question)
        #expect(!message.isAnswer)
    }

    @Test("the fields of the header and of records are read")
    func reads() throws {
        let message = try DNSMessage(
            Bytes.message(
                identifier: 0xABCD,
                flags: 0x8183,
                answers: [Bytes.srv(Bytes.service, 1, 2, 3, "A.example.test", timeToLive: 9)],
                authority: [Bytes.record(Bytes.name("test"), type: 6, [1, 2, 3])],
                additional: [
                    Bytes.address("a.example.test", "192.0.2.1"),
                    Bytes.address("a.example.test", "2001:db8::1"),
                    Bytes.alias("b.example.test", of: "a.example.test"),
                ]
            )
        )
        #expect(message.identifier == 0xABCD)
        #expect(message.isAnswer)
        #expect(message.code == DNSMessage.Code.noSuchName)
        #expect(message.question == (try Self.question()))
        let target = try #require(DNSName("a.example.test"))
        let service = DNSMessage.Service(priority: 1, weight: 2, port: 3, target: target)
        #expect(message.answers.map(\.data) == [.service(service)])
        #expect(message.answers.map(\.timeToLive) == [9])
        #expect(message.additional.map(\.data.type) == [.a, .aaaa, .cname])
        #expect(message.additional[1].data == .address(try #require(IPAddress("2001:db8::1"))))
    }

    @Test("a message that ends early is malformed, wherever it ends")
    func rejectsCutMessages() throws {
        let whole = Bytes.message(
            answers: [Bytes.srv("a.example.test")],
            additional: [Bytes.address("a.example.test", "192.0.2.1")]
        )
        _ = try DNSMessage(whole)
        for count in 0..<whole.count {
            #expect(throws: DNSReader.Malformed.self) {
                try DNSMessage(Array(whole.prefix(count)))
            }
        }
    }

    @Test("a truncated message needs no whole records, and has none")
    func readsTruncated() throws {
        let whole = Bytes.message(flags: 0x8380, answers: [Bytes.srv("a.example.test")])
        let message = try DNSMessage(whole.dropLast(3))
        #expect(message.isTruncated)
        #expect(message.answers.isEmpty)
        #expect(try DNSMessage(whole).answers.isEmpty)
    }

    @Test("a record whose contents are shorter or longer than its length is malformed")
    func rejectsLengths() throws {
        let name = Bytes.name(Bytes.service)
        let target = Bytes.name("a.example.test")
        let contents: [(UInt16, [UInt8])] = [
            (1, [1, 2, 3]), (1, [1, 2, 3, 4, 5]), (28, [1, 2, 3, 4]),
            (33, [0, 0, 0, 0, 0]), (33, [0, 0, 0, 0, 0, 80]),
            (33, [0, 0, 0, 0, 0, 80] + target + [0]), (5, target + [0]), (5, []),
        ]
        for (type, data) in contents {
            let record = Bytes.record(name, type: type, data)
            // Further records follow, so that the record does not end with the message.
            let answers = [record, Bytes.srv("a.example.test")]
            #expect(throws: DNSReader.Malformed.self) {
                try DNSMessage(Bytes.message(answers: answers))
            }
        }
    }

    @Test("records of other classes and types are skipped")
    func skips() throws {
        let name = Bytes.name(Bytes.service)
        let data: [UInt8] = [0, 0, 0, 0, 0, 80, 0]
        let message = try DNSMessage(
            Bytes.message(answers: [
                Bytes.record(name, type: 33, class: 3, data), Bytes.record(name, type: 16, data),
                Bytes.record(name, type: 1, class: 255, [1, 2, 3]),
            ])
        )
        #expect(message.answers.isEmpty)
    }

    @Test("a time to live whose most significant bit is set is 0")
    func limitsTimeToLive() throws {
        let records = [UInt32.max, 0x8000_0000, 0x7FFF_FFFF].map {
            Bytes.srv("a.example.test", timeToLive: $0)
        }
        let message = try DNSMessage(Bytes.message(answers: records))
        #expect(message.answers.map(\.timeToLive) == [0, 0, 0x7FFF_FFFF])
    }

    @Test("a message has one question at most, and an unknown type is no question")
    func countsQuestions() throws {
        let two = Bytes.message(questions: [Bytes.question(), Bytes.question()])
        #expect(throws: DNSReader.Malformed.self) { try DNSMessage(two) }
        #expect(try DNSMessage(Bytes.message(questions: [])).question == nil)
        let text = Bytes.message(questions: [Bytes.question(type: 16)])
        #expect(try DNSMessage(text).question == nil)
    }

    @Test("aliases lead to the records, and the shortest time to live counts")
    func followsAliases() throws {
        let message = try DNSMessage(
            Bytes.message(answers: [
                Bytes.srv("Real.example.test", 0, 0, 80, "a.example.test", timeToLive: 50),
                Bytes.alias("middle.example.test", of: "REAL.example.test", timeToLive: 20),
                Bytes.alias(Bytes.service, of: "middle.example.test", timeToLive: 90),
                Bytes.srv("other.example.test", 0, 0, 80, "b.example.test", timeToLive: 1),
            ])
        )
        let found = message.records(for: try Self.question())
        #expect(found.records.map(\.owner.description) == ["real.example.test"])
        #expect(found.timeToLive == 20)
    }

    @Test("a loop of aliases and a long chain have no records")
    func limitsAliases() throws {
        let loop = try DNSMessage(
            Bytes.message(answers: [
                Bytes.alias(Bytes.service, of: "a.test"), Bytes.alias("a.test", of: "b.test"),
                Bytes.alias("b.test", of: "a.test"),
            ])
        )
        #expect(loop.records(for: try Self.question()).records.isEmpty)
        func chain(_ count: Int) throws -> Int {
            let names = [Bytes.service] + (1...count).map { "n\($0).test" }
            let aliases = (0..<count).map { Bytes.alias(names[$0], of: names[$0 + 1]) }
            let records = aliases + [Bytes.srv(names[count], 0, 0, 80, "a.test")]
            let message = try DNSMessage(Bytes.message(answers: records))
            return message.records(for: try Self.question()).records.count
        }
        #expect(try chain(16) == 1)
        #expect(try chain(17) == 0)
    }
}
