/// A JSON text as defined by RFC 8259, with the position of each key and value.
///
/// Bytes that are not UTF-8, a byte order mark, comments, trailing commas and a text that exceeds
/// its limits are errors. A duplicate key is not a syntax error: the first is used, and the others
/// are listed in ``duplicates``.
package struct JSONDocument: Sendable {
    /// A key that its object already has.
    package struct Duplicate: Sendable {
        /// The pointer to the key.
        package let pointer: JSONPointer
        /// The position of the duplicate.
        package let position: SourcePosition
        /// The position of the first key.
        package let first: SourcePosition
    }

    /// The value of the document.
    package let root: JSONValue

    /// The duplicate keys, in the order of the document, up to the number that the parser keeps.
    package let duplicates: [Duplicate]

    /// The number of duplicate keys that are not listed.
    package let omittedDuplicateCount: Int

    /// Parses a document.
    ///
    /// - Parameters:
    ///   - bytes: The text.
    ///   - limits: The limits of the text.
    ///   - file: The index of the text, which its positions get.
    /// - Throws: The first syntax error.
    package init(
        parsing bytes: [UInt8],
        limits: JSONLimits = JSONLimits(),
        file: Int = 0
    ) throws(JSONSyntaxError) {
        var parser = try JSONParser(bytes, limits: limits, keepsValues: true, file: file)
        root = try parser.parseDocument()
        duplicates = parser.duplicates
        omittedDuplicateCount = parser.omittedDuplicateCount
    }

    /// Checks that a text matches the grammar of a document, without building its value.
    ///
    /// Only the form of escapes is checked: like the grammar of RFC 8259, this function accepts
    /// `\ud800`, an unpaired surrogate. Duplicate keys are accepted too.
    ///
    /// - Throws: The first syntax error.
    package static func check(
        _ bytes: [UInt8],
        limits: JSONLimits
    ) throws(JSONSyntaxError) {
        var parser = try JSONParser(bytes, limits: limits, keepsValues: false)
        _ = try parser.parseDocument()
    }
}

extension JSONValue {
    /// Returns the value at a pointer, or the nearest enclosing value that exists.
    package func nearestValue(at pointer: JSONPointer) -> JSONValue {
        var value = self
        for token in pointer.tokens {
            guard let next = value[token] else { break }
            value = next
        }
        return value
    }
}

/// A syntax error in a JSON document.
package struct JSONSyntaxError: Error, Equatable {
    /// The position of the error.
    package let position: SourcePosition

    /// The problem and its remedy.
    package let message: String
}
