/// The bytes that wait to be written to the peer.
struct Outbox {
    private(set) var bytes: [UInt8] = []
    private var start = 0

    var byteCount: Int { bytes.count - start }

    /// Adds a message and the NUL byte that ends it.
    mutating func append(message: some Collection<UInt8>) {
        // A peer that never quite catches up must not make the array grow.
        if start > bytes.count / 2 {
            bytes.removeSubrange(..<start)
            start = 0
        }
        bytes.append(contentsOf: message)
        bytes.append(0)
    }

    /// Hands the bytes to `write` once, which returns how many it took, or `nil` for none.
    ///
    /// - Returns: Whether some were taken.
    mutating func send<Failure>(
        _ write: (Span<UInt8>) throws(Failure) -> Int?
    ) throws(Failure) -> Bool {
        guard byteCount > 0 else { return false }
        guard let count = try write(bytes.span.extracting(start...)) else { return false }
        start += count
        if start == bytes.count {
            bytes = []
            start = 0
        }
        return count > 0
    }
}
