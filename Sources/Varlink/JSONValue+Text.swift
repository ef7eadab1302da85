internal import FoundationEssentials

extension JSONValue {
    /// The value as JSON on one line, its keys in order.
    package var text: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Infinity alone can't be said, which no JSON has brought in.
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "null"
    }
}
