/// Searches for bytes in a stream that arrives in pieces.
///
/// The search keeps no bytes of the stream, and its time is linear whatever the pattern: it is the
/// algorithm of Knuth, Morris and Pratt.
struct ByteSearch {
    private let pattern: [UInt8]
    /// For each prefix of the pattern, the length of the longest shorter prefix that ends it.
    private let borders: [Int]
    /// The number of the pattern's first bytes with which the stream ends so far.
    private var matchedCount = 0

    /// Begins a search for bytes; an empty pattern is found at once.
    init(_ pattern: [UInt8]) {
        self.pattern = pattern
        var borders = [0]
        borders.reserveCapacity(pattern.count)
        var length = 0
        for byte in pattern.dropFirst() {
            while length > 0, pattern[length] != byte { length = borders[length - 1] }
            if pattern[length] == byte { length += 1 }
            borders.append(length)
        }
        self.borders = borders
    }

    /// Whether the pattern has been found.
    var hasFound: Bool { matchedCount == pattern.count }

    /// Continues with the next bytes of the stream.
    ///
    /// - Returns: Whether the pattern has been found.
    mutating func finds(in bytes: [UInt8]) -> Bool {
        for byte in bytes {
            if hasFound { return true }
            while matchedCount > 0, pattern[matchedCount] != byte {
                matchedCount = borders[matchedCount - 1]
            }
            if pattern[matchedCount] == byte { matchedCount += 1 }
        }
        return hasFound
    }
}
