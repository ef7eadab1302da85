/// The bytes that wait to be written to the peer.
///
/// Messages wait in the pieces they came in: what goes to many peers is in the memory once.
struct Outbox {
    private(set) var byteCount = 0

    private(set) var pieces: [[UInt8]] = []
    /// The piece that is written next, and how much of it was written.
    private var first = 0
    private var start = 0

    /// Adds messages, each with the NUL byte that ends it.
    mutating func append(_ messages: [UInt8]) {
        if messages.isEmpty { return }
        // A peer that never quite catches up must not make the array grow.
        if first > pieces.count / 2 {
            pieces.removeSubrange(..<first)
            first = 0
        }
        pieces.append(messages)
        byteCount += messages.count
    }

    /// Hands bytes to `write` once, which returns how many it took, or `nil` for none.
    ///
    /// - Returns: Whether some were taken.
    mutating func send<Failure>(
        _ write: (Span<UInt8>) throws(Failure) -> Int?
    ) throws(Failure) -> Bool {
        guard byteCount > 0 else { return false }
        let piece = pieces[first]
        guard let count = try write(piece.span.extracting(start...)) else { return false }
        start += count
        byteCount -= count
        if start == piece.count {
            pieces[first] = []
            first += 1
            start = 0
        }
        if byteCount == 0 {
            pieces = []
            first = 0
        }
        return count > 0
    }
}
