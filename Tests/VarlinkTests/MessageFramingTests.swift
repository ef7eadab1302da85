import Testing

@testable import Varlink

@Suite("MessageFraming")
struct MessageFramingTests {
    private let messages = ["{}", "", #"{"method":"a.B"}"#, "ä"]

    private var stream: [UInt8] { wire(messages) }

    private func drain(_ framing: inout MessageFraming) throws -> [String] {
        var taken: [String] = []
        while let message = try framing.next() {
            taken.append(String(decoding: message, as: UTF8.self))
        }
        return taken
    }

    @Test("messages split at any byte are reassembled")
    func splits() throws {
        for cut in 0...stream.count {
            var framing = MessageFraming()
            framing.append(stream[..<cut])
            var taken = try drain(&framing)
            framing.append(stream[cut...])
            taken += try drain(&framing)
            #expect(taken == messages, "split at \(cut)")
        }
    }

    @Test("messages that arrive in one chunk are returned one by one")
    func separates() throws {
        var framing = MessageFraming()
        framing.append(stream)

        #expect(try drain(&framing) == messages)
        #expect(framing.byteCount == 0)
    }

    @Test("any chunks, read at any time, yield the same messages")
    func reassembles() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            let sent = (0..<Int.random(in: 1...40, using: &random)).map { index in
                String(repeating: "x", count: Int.random(in: 0...300, using: &random)) + "\(index)"
            }
            let bytes = wire(sent)
            var framing = MessageFraming(limit: 400)
            var taken: [String] = []
            var position = 0
            while position < bytes.count {
                let count = min(Int.random(in: 1...500, using: &random), bytes.count - position)
                framing.append(bytes[position..<position + count])
                position += count
                if Bool.random(using: &random) { taken += try drain(&framing) }
            }
            taken += try drain(&framing)
            #expect(taken == sent)
        }
    }

    @Test("an incomplete message is kept and not returned")
    func waits() throws {
        var framing = MessageFraming()
        framing.append(Array("{".utf8))

        #expect(try framing.next() == nil)
        #expect(!framing.hasNext)
        #expect(framing.byteCount == 1)
    }

    @Test("a message may be exactly as long as the limit, and no longer")
    func limits() throws {
        var framing = MessageFraming(limit: 3)
        framing.append(Array("abc\u{0}abcd\u{0}".utf8))

        #expect(try framing.next() == Array("abc".utf8))
        #expect(throws: MalformedMessage()) { try framing.next() }
    }

    @Test("an oversized message is rejected before its end arrives")
    func limitsUnfinished() throws {
        var framing = MessageFraming(limit: 3)
        framing.append(Array("abcd".utf8))

        #expect(framing.hasNext)
        #expect(throws: MalformedMessage()) { try framing.next() }
    }

    @Test("the default limit is one mebibyte")
    func limitsByDefault() throws {
        var framing = MessageFraming()
        framing.append(Array(repeating: 0x20, count: 1 << 20))
        #expect(try framing.next() == nil)

        framing.append([0x20])
        #expect(throws: MalformedMessage()) { try framing.next() }
    }

    @Test("messages before an error are still returned")
    func appendsBeforeError() throws {
        struct Failed: Error {}
        var framing = MessageFraming()
        #expect(throws: Failed.self) {
            try framing.append(upTo: 8) { (output) throws(Failed) in
                output.append(0x61)
                throw Failed()
            }
        }
        framing.append([0])

        #expect(try framing.next() == [0x61])
    }
}
