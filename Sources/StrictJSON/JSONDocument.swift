/// A text that is one value of JSON, just as RFC 8259 says, with the place of each key and value.
///
/// Bytes that are not UTF-8, a byte order mark, comments and trailing commas are errors. So are
/// more than ``maximumDepth`` arrays and objects within each other. A key that an object has
/// twice is no error of syntax: the first counts, and the others are in ``duplicates``.
package struct JSONDocument: Sendable {
    /// The most arrays and objects that may stand within each other.
    static let maximumDepth = 64

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

    /// The first of the keys that stand twice, in the order of the document.
    package let duplicates: [Duplicate]

    /// How many more there are.
    package let omittedDuplicateCount: Int

    /// Parses a document.
    ///
    /// - Throws: The first mistake in its syntax.
    package init(parsing bytes: [UInt8]) throws(JSONSyntaxError) {
        var parser = try JSONParser(bytes)
        root = try parser.parseDocument()
        duplicates = parser.duplicates
        omittedDuplicateCount = parser.omittedDuplicateCount
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

    /// What is wrong and how to mend it.
    package let message: String
}
