/// The bytes to write to the peer.
///
/// Each array of messages is kept as it was added, without a copy, so a message to many peers
/// exists in memory once.
struct Outbox {
    private(set) var byteCount = 0

    private(set) var pieces: [[UInt8]] = []
    /// The index of the piece to write next, and the number of its bytes already written.
    private var first = 0
    private var start = 0

    /// Adds messages, each followed by a NUL byte.
    mutating func append(_ messages: [UInt8]) {
        if messages.isEmpty { return }
        // Remove written pieces, so that they do not pile up if the peer never catches up.
        if first > pieces.count / 2 {
            pieces.removeSubrange(..<first)
            first = 0
        }
        pieces.append(messages)
        byteCount += messages.count
    }

    /// Calls `write` once with bytes to send.
    ///
    /// `write` returns how many bytes it accepted, or `nil` for none.
    ///
    /// - Returns: Whether `write` accepted any.
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
