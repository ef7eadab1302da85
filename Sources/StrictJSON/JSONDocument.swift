/// A text that is one value of JSON, just as RFC 8259 says, with the place of each key and value.
///
/// Bytes that are not UTF-8, a byte order mark, comments and trailing commas are errors. So is a
/// text that exceeds its limits. A duplicate key is not an error of syntax: the first counts, and
/// the others are in ``duplicates``.
package struct JSONDocument: Sendable {
    /// A key that its object has already.
    package struct Duplicate: Sendable {
        /// The way to the key.
        package let pointer: JSONPointer
        /// Where it stands again.
        package let position: SourcePosition
        /// Where it stands first.
        package let first: SourcePosition
    }

    /// The document's value.
    package let root: JSONValue

    /// The first of the duplicate keys, in the order of the document.
    package let duplicates: [Duplicate]

    /// How many more there are.
    package let omittedDuplicateCount: Int

    /// Parses a document.
    ///
    /// - Throws: The first mistake in its syntax.
    package init(
        parsing bytes: [UInt8],
        limits: JSONLimits = JSONLimits()
    ) throws(JSONSyntaxError) {
        var parser = try JSONParser(bytes, limits: limits, keepsValues: true)
        root = try parser.parseDocument()
        duplicates = parser.duplicates
        omittedDuplicateCount = parser.omittedDuplicateCount
    }

    /// Checks that a text has the grammar of a document, and keeps nothing of it.
    ///
    /// Escapes are checked for their form alone: `\ud800` passes, which is half a character, as
    /// the grammar of RFC 8259 has it. So do duplicate keys.
    ///
    /// - Throws: The first mistake in its syntax.
    package static func check(
        _ bytes: [UInt8],
        limits: JSONLimits
    ) throws(JSONSyntaxError) {
        var parser = try JSONParser(bytes, limits: limits, keepsValues: false)
        _ = try parser.parseDocument()
    }

    /// The value that a pointer leads to, or the nearest value around it that is there.
    package func nearestValue(at pointer: JSONPointer) -> JSONValue {
        var value = root
        for token in pointer.tokens {
            guard let next = value[token] else { break }
            value = next
        }
        return value
    }
}

/// A mistake in the syntax of a JSON document.
package struct JSONSyntaxError: Error, Equatable {
    /// Where the mistake was noticed.
    package let position: SourcePosition

    /// The problem, and how to mend it.
    package let message: String
}
