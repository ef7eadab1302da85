import Testing
import Verypoll

@testable import VerypollServer

@Suite("DNSInquiry")
struct DNSInquiryTests {
    private typealias Bytes = DNSBytes

    private static let server = SocketAddress.loopback(port: 53)

    private static func inquiry(_ count: Int = 1) throws -> SharedInquiry {
        let questions = try (0..<count).map {
            DNSQuestion(name: try #require(DNSName("n\($0).test")), type: .a)
        }
        let inquiry = SharedInquiry(DNSInquiry(questions))
        #expect(inquiry.begin(with: server, isRepetition: false))
        return inquiry
    }

    /// Returns the answer to a message with a question.
    private static func answer(
        to message: [UInt8],
        flags: UInt16 = 0x8180,
        question: Bool = true
    ) throws -> [UInt8] {
        let asked = try DNSMessage(message)
        let name = try #require(asked.question).name.bytes
        return Bytes.message(
            identifier: asked.identifier,
            flags: flags,
            questions: question ? [name + [0, 1, 0, 1]] : []
        )
    }

    private static func reasons(_ inquiry: SharedInquiry) -> [String] {
        inquiry.results.map { result in
            switch result {
            case .success: "answered"
            case .failure(let failure): failure.description
            }
        }
    }

    @Test("answers are assigned to their questions, in any order")
    func assigns() throws {
        let inquiry = try Self.inquiry(3)
        var messages: [[UInt8]] = []
        while let message = inquiry.nextDatagram() { messages.append(message) }
        #expect(messages.count == 3)
        #expect(inquiry.isWaiting)
        for message in messages.reversed() {
            #expect(inquiry.receive(try Self.answer(to: message), isStream: false))
        }
        #expect(!inquiry.isWaiting)
        let names = try inquiry.results.map { try $0.get().question?.name.description }
        #expect(names == ["n0.test", "n1.test", "n2.test"])
    }

    @Test("32 questions are in progress at most, and each answer makes room for another")
    func limitsWindow() throws {
        let inquiry = try Self.inquiry(100)
        var messages: [[UInt8]] = []
        while let message = inquiry.nextDatagram() { messages.append(message) }
        #expect(messages.count == 32)
        var count = 0
        while !messages.isEmpty {
            #expect(inquiry.receive(try Self.answer(to: messages.removeFirst()), isStream: false))
            count += 1
            if let next = inquiry.nextDatagram() { messages.append(next) }
            #expect(inquiry.nextDatagram() == nil)
        }
        #expect(count == 100)
        #expect(Self.reasons(inquiry).allSatisfy { $0 == "answered" })
    }

    @Test("late answers make room for other questions, and still count")
    func makesRoom() throws {
        let inquiry = try Self.inquiry(40)
        var late: [[UInt8]] = []
        while let message = inquiry.nextDatagram() { late.append(message) }
        #expect(late.count == 32 && inquiry.hasMoreDatagrams)
        inquiry.makeRoom()
        var others: [[UInt8]] = []
        while let message = inquiry.nextDatagram() { others.append(message) }
        #expect(others.count == 8 && !inquiry.hasMoreDatagrams)
        for message in others + late {
            #expect(inquiry.receive(try Self.answer(to: message), isStream: false))
        }
        #expect(Self.reasons(inquiry).allSatisfy { $0 == "answered" })
    }

    @Test("the next server is first asked the questions that no server was asked")
    func asksUnsentFirst() throws {
        let inquiry = try Self.inquiry(40)
        while inquiry.nextDatagram() != nil {}
        inquiry.endDatagrams()
        #expect(inquiry.begin(with: Self.server, isRepetition: true))
        var names: [String?] = []
        while let message = inquiry.nextDatagram() {
            names.append(try DNSMessage(message).question?.name.description)
        }
        #expect(names == (Array(32..<40) + Array(0..<24)).map { "n\($0).test" })
    }

    @Test("messages that fit no question are ignored, and the failure mentions them")
    func ignoresGarbage() throws {
        let inquiry = try Self.inquiry()
        let message = try #require(inquiry.nextDatagram())
        let answer = try Self.answer(to: message)
        var other = answer
        other[0] ^= 1
        var renamed = answer
        renamed[13] ^= 1
        var typed = answer
        typed[answer.count - 3] = 28
        let nameless = try Self.answer(to: message, flags: 0x8183, question: false)
        for garbage in [[], message, other, renamed, typed, nameless, answer.dropLast()] {
            #expect(!inquiry.receive(garbage, isStream: false))
        }
        #expect(inquiry.isWaiting)
        let ended = SharedInquiry(inquiry.value)
        ended.endDatagrams()
        #expect(
            Self.reasons(ended) == ["the name server 127.0.0.1:53 sent no valid answer in time"]
        )
        #expect(inquiry.receive(answer, isStream: false))
        #expect(!inquiry.receive(answer, isStream: false))
        #expect(Self.reasons(inquiry) == ["answered"])
    }

    @Test(
        "a server's error is the reason of the failure, with or without the question",
        arguments: [
            (0x8182, "failed (SERVFAIL)"), (0x8185, "refused the question (REFUSED)"),
            (0x8189, "answered with the error code 9"),
        ] as [(UInt16, String)]
    )
    func reportsErrors(_ flags: UInt16, _ reason: String) throws {
        for hasQuestion in flags == 0x8189 ? [true] : [true, false] {
            let inquiry = try Self.inquiry()
            let message = try #require(inquiry.nextDatagram())
            let answer = try Self.answer(to: message, flags: flags, question: hasQuestion)
            #expect(inquiry.receive(answer, isStream: false))
            #expect(!inquiry.isWaiting)
            inquiry.endDatagrams()
            #expect(Self.reasons(inquiry) == ["the name server 127.0.0.1:53 \(reason)"])
        }
    }

    @Test("the next server is asked what the first one did not answer")
    func continuesElsewhere() throws {
        let inquiry = try Self.inquiry(3)
        let messages = try (0..<3).map { _ in try #require(inquiry.nextDatagram()) }
        #expect(inquiry.receive(try Self.answer(to: messages[0]), isStream: false))
        let refusal = try Self.answer(to: messages[1], flags: 0x8185)
        #expect(inquiry.receive(refusal, isStream: false))
        inquiry.endDatagrams()
        let next = SocketAddress.loopback(.v6, port: 53)
        #expect(inquiry.begin(with: next, isRepetition: false))
        for name in ["n1.test", "n2.test"] {
            let message = try #require(inquiry.nextDatagram())
            #expect(try DNSMessage(message).question?.name == DNSName(name))
        }
        #expect(inquiry.nextDatagram() == nil)
        inquiry.end("cannot be reached: x")
        let failure = "the name server [::1]:53 cannot be reached: x"
        #expect(Self.reasons(inquiry) == ["answered", failure, failure])
    }

    @Test("a question that the last server refused is not repeated, one without an answer is")
    func repeatsSilence() throws {
        let inquiry = try Self.inquiry(2)
        let message = try #require(inquiry.nextDatagram())
        _ = inquiry.nextDatagram()
        let refusal = try Self.answer(to: message, flags: 0x8185)
        #expect(inquiry.receive(refusal, isStream: false))
        inquiry.endDatagrams()
        #expect(inquiry.begin(with: Self.server, isRepetition: true))
        let again = try #require(inquiry.nextDatagram())
        #expect(try DNSMessage(again).question?.name == DNSName("n1.test"))
        #expect(inquiry.nextDatagram() == nil)
        #expect(inquiry.receive(try Self.answer(to: again), isStream: false))
        inquiry.endDatagrams()
        #expect(!inquiry.begin(with: Self.server, isRepetition: true))
    }

    @Test("a truncated answer is asked for over TCP, with its length")
    func usesStream() throws {
        let inquiry = try Self.inquiry()
        #expect(!inquiry.needsStream)
        let message = try #require(inquiry.nextDatagram())
        let truncated = try Self.answer(to: message, flags: 0x8380)
        #expect(inquiry.receive(truncated, isStream: false))
        #expect(inquiry.nextDatagram() == nil)
        #expect(inquiry.needsStream)
        let segment = try #require(inquiry.nextSegment())
        #expect(Int(segment[0]) << 8 | Int(segment[1]) == segment.count - 2)
        #expect(inquiry.nextSegment() == nil)
        let question = Array(segment.dropFirst(2))
        let twice = SharedInquiry(inquiry.value)
        #expect(twice.receive(try Self.answer(to: question, flags: 0x8380), isStream: true))
        twice.endStream()
        #expect(
            Self.reasons(twice) == [
                "the name server 127.0.0.1:53 truncated its answer over TCP"
            ]
        )
        let silent = SharedInquiry(inquiry.value)
        silent.endStream()
        #expect(
            Self.reasons(silent) == ["the name server 127.0.0.1:53 did not answer over TCP in time"]
        )
        #expect(inquiry.receive(try Self.answer(to: question), isStream: true))
        #expect(Self.reasons(inquiry) == ["answered"])
    }

    @Test("a truncated answer outlasts the datagrams, and silence does not")
    func endsDatagrams() throws {
        let inquiry = try Self.inquiry(2)
        let messages = try (0..<2).map { _ in try #require(inquiry.nextDatagram()) }
        let truncated = try Self.answer(to: messages[1], flags: 0x8380)
        #expect(inquiry.receive(truncated, isStream: false))
        inquiry.endDatagrams()
        let segment = try #require(inquiry.nextSegment())
        let answer = try Self.answer(to: Array(segment.dropFirst(2)))
        #expect(inquiry.receive(answer, isStream: true))
        inquiry.endStream()
        let silence = "the name server 127.0.0.1:53 did not answer in time"
        #expect(Self.reasons(inquiry) == [silence, "answered"])
    }

    @Test(
        "a server that does not know RFC 6891 is asked again without it, once",
        arguments: [(false, 0x8181), (false, 0x8184), (true, 0x8181)] as [(Bool, UInt16)]
    )
    func asksPlainly(_ isStream: Bool, _ flags: UInt16) throws {
        let inquiry = try Self.inquiry()
        var message = try #require(inquiry.nextDatagram())
        if isStream {
            let truncated = try Self.answer(to: message, flags: 0x8380)
            #expect(inquiry.receive(truncated, isStream: false))
            message = Array(try #require(inquiry.nextSegment()).dropFirst(2))
        }
        #expect(message[11] == 1)
        let rejection = try Self.answer(to: message, flags: flags, question: false)
        #expect(inquiry.receive(rejection, isStream: isStream))
        let plain =
            isStream
            ? Array(try #require(inquiry.nextSegment()).dropFirst(2))
            : try #require(inquiry.nextDatagram())
        #expect(plain[11] == 0)
        let rejected = SharedInquiry(inquiry.value)
        let second = try Self.answer(to: plain, flags: flags)
        #expect(rejected.receive(second, isStream: isStream))
        #expect(rejected.nextDatagram() == nil)
        #expect(rejected.nextSegment() == nil)
        let code = flags & 15
        #expect(
            Self.reasons(rejected) == [
                "the name server 127.0.0.1:53 answered with the error code \(code)"
            ]
        )
        #expect(inquiry.receive(try Self.answer(to: plain), isStream: isStream))
        #expect(Self.reasons(inquiry) == ["answered"])
    }

    @Test("a question that no server was asked has a reason as well")
    func explainsUnasked() {
        let inquiry = SharedInquiry(DNSInquiry([DNSQuestion(name: .root, type: .a)]))
        #expect(Self.reasons(inquiry) == ["there was no time to ask a name server"])
    }
}

/// An inquiry whose methods can be called in `#expect`, which does not allow mutating methods.
private final class SharedInquiry {
    private(set) var value: DNSInquiry

    init(_ value: DNSInquiry) {
        self.value = value
    }

    var isWaiting: Bool { value.isWaiting }
    var needsStream: Bool { value.needsStream }
    var results: [Result<DNSMessage, NameLookupFailure>] { value.results }

    func begin(with server: SocketAddress, isRepetition: Bool) -> Bool {
        value.begin(with: server, isRepetition: isRepetition)
    }

    var hasMoreDatagrams: Bool { value.hasMoreDatagrams }

    func makeRoom() { value.makeRoom() }

    func nextDatagram() -> [UInt8]? { value.nextDatagram() }

    func nextSegment() -> [UInt8]? { value.nextSegment() }

    func receive(_ bytes: [UInt8], isStream: Bool) -> Bool {
        value.receive(bytes, isStream: isStream)
    }

    func endDatagrams() { value.endDatagrams() }

    func endStream() { value.endStream() }

    func end(_ reason: String) { value.end(reason) }
}
