internal import Console

/// Bytes that a health check sends or expects: a text, or `hex:` and hexadecimal digits.
package struct CheckBytes: Equatable, Sendable {
    /// The most bytes: an answer is read no further.
    package static let limit = 65_536

    /// The value as the configuration writes it.
    package let text: String
    /// The bytes that ``text`` stands for.
    package let bytes: [UInt8]

    /// Parses a text, or `hex:` followed by two digits for each byte, with or without spaces.
    package init(_ text: String) throws(InvalidValue) {
        self.text = text
        bytes = text.hasPrefix("hex:") ? try Self.bytes(ofHex: text) : Array(text.utf8)
        guard bytes.count <= Self.limit else {
            throw InvalidValue(
                "has \(bytes.count) bytes; a check reads only the first \(Self.limit) bytes of an"
                    + " answer, so write a shorter one"
            )
        }
    }

    private static func bytes(ofHex text: String) throws(InvalidValue) -> [UInt8] {
        let digits = text.utf8.dropFirst(4).filter { $0 != UInt8(ascii: " ") }
        let values = digits.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
        guard values.count == digits.count, values.count.isMultiple(of: 2) else {
            throw InvalidValue(
                "\(text.quoted) is not valid hexadecimal; write two digits for each byte, as in"
                    + " \"hex:0d0a\""
            )
        }
        return stride(from: 0, to: values.count, by: 2).map {
            UInt8(values[$0] << 4 | values[$0 + 1])
        }
    }
}

extension CheckBytes: ExpressibleByStringLiteral {
    /// Makes the bytes of a text, which is not parsed.
    package init(stringLiteral text: String) {
        self.text = text
        bytes = Array(text.utf8)
    }
}
