/// A position that moves forward through the bytes of a UTF-8 text.
struct JSONCursor {
    /// The offset in bytes.
    private(set) var offset = 0

    private let bytes: [UInt8]
    /// The index of the text, for positions.
    private let file: Int

    // The offset of the last requested position. Counting continues from there: each byte is
    // visited once if positions are requested in order, and not at all if none is requested.
    private var mark = 0
    private var markPosition: SourcePosition

    /// Creates a cursor at the start of a text.
    init(_ bytes: [UInt8], file: Int = 0) {
        self.bytes = bytes
        self.file = file
        markPosition = SourcePosition(line: 1, column: 1, file: file)
    }

    /// Returns the line and column of a byte.
    ///
    /// It counts from the last requested position, or from the start of the text if that position
    /// is after the byte.
    mutating func position(at offset: Int) -> SourcePosition {
        if offset < mark {
            mark = 0
            markPosition = SourcePosition(line: 1, column: 1, file: file)
        }
        while mark < offset {
            let byte = bytes[mark]
            mark += 1
            if byte == UInt8(ascii: "\n") {
                markPosition.line += 1
                markPosition.column = 1
            } else if mark == bytes.count || bytes[mark] & 0xC0 != 0x80 {
                markPosition.column += 1  // The next byte begins another scalar.
            }
        }
        return markPosition
    }

    /// The byte at the cursor, or `nil` at the end.
    var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    /// Returns whether the byte at the cursor is the ASCII character `character`.
    func isAt(_ character: Unicode.Scalar) -> Bool {
        next == UInt8(ascii: character)
    }

    /// Whether a number can start at the cursor.
    var isAtNumber: Bool { isAt("-") || next.map(Self.isDigit) ?? false }

    /// Whether a letter, a digit, an underscore or a period is at the cursor.
    var isAtWord: Bool { next.map(Self.isWordByte) ?? false }

    /// Skips a byte, if any is left.
    mutating func advance() {
        if offset < bytes.count { offset += 1 }
    }

    /// Skips spaces, tabs and line ends.
    mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x09 || byte == 0x0D {
            offset += 1
        }
    }

    /// Skips and returns the bytes of a string up to a quote, a backslash or a control character.
    mutating func takePlainText() -> ArraySlice<UInt8> {
        let start = offset
        while let byte = next, byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\")
        {
            offset += 1
        }
        return bytes[start..<offset]
    }

    /// Skips decimal digits and returns how many were skipped.
    mutating func takeDigits() -> Int {
        let start = offset
        while let byte = next, Self.isDigit(byte) { offset += 1 }
        return offset - start
    }

    /// Skips and returns letters, digits, underscores and periods.
    mutating func takeWord() -> String {
        let start = offset
        while let byte = next, Self.isWordByte(byte) { offset += 1 }
        return text(from: start)
    }

    /// Skips four hexadecimal digits and returns their value, or returns `nil` if the next four
    /// bytes are not hexadecimal digits.
    mutating func takeCodeUnit() -> UInt16? {
        let digits = bytes[offset...].prefix(4)
        guard digits.count == 4,
            digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit })
        else { return nil }
        offset += 4
        return UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
    }

    /// Returns the text between an offset and the cursor.
    func text(from start: Int) -> String {
        String(decoding: bytes[start..<offset], as: UTF8.self)
    }

    /// The name of the character at the cursor, for messages.
    var found: String {
        guard next != nil else { return "the end of the file" }
        let rest = String(decoding: bytes[offset...].prefix(4), as: UTF8.self)
        guard let scalar = rest.unicodeScalars.first else { return "the end of the file" }
        if scalar.isASCII, scalar.value > 0x20, scalar != "\u{7F}" { return "\(scalar)" }
        let hexadecimal = String(scalar.value, radix: 16, uppercase: true)
        let padding = String(repeating: "0", count: max(0, 4 - hexadecimal.count))
        return "the character U+\(padding)\(hexadecimal)"
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."):
            true
        default: false
        }
    }
}
