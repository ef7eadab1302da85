import Testing

@testable import Varlink

@Suite("Outbox")
struct OutboxTests {
    @Test("memory does not grow when a peer never quite catches up")
    func staysSmall() {
        var outbox = Outbox()
        outbox.append(Array(repeating: 1, count: 100))
        for _ in 0..<1000 {
            outbox.append(Array(repeating: 1, count: 100))
            let hasSent = outbox.send { _ in 100 }
            #expect(hasSent)
        }

        #expect(outbox.byteCount == 100)
        #expect(outbox.pieces.count <= 3)
    }

    @Test("the bytes sent are the bytes added, in any chunks")
    func keepsOrder() {
        var outbox = Outbox()
        var added: [UInt8] = []
        var sent: [UInt8] = []
        for round in 0..<300 {
            let message = Array(repeating: UInt8(1 + round % 255), count: Int.random(in: 0...20))
            outbox.append(message)
            added += message
            let room = Int.random(in: 0...25)
            _ = outbox.send { bytes in
                for index in 0..<min(room, bytes.count) { sent.append(bytes[index]) }
                return min(room, bytes.count)
            }
        }
        while outbox.send({ bytes in
            sent.append(bytes[0])
            return 1
        }) {}

        #expect(sent == added)
        #expect(outbox.byteCount == 0)
    }
}
