/// A second implementation of the grammar of RFC 8259, to compare with the daemon's parser.
public struct JSONGrammar {
    /// The most nested objects and arrays, as in Varlink messages.
    private static let maximumDepth = 512

    private let text: [UInt8]
    private var offset = 0

    private init(_ text: [UInt8]) {
        self.text = text
    }

    /// Returns whether `text` is exactly one value.
    public static func isValid(_ text: [UInt8]) -> Bool {
        guard String(validating: text, as: UTF8.self) != nil else { return false }
        var grammar = JSONGrammar(text)
        return grammar.takeValue(depth: 0) && grammar.next == nil
    }

    private var next: UInt8? { offset < text.count ? text[offset] : nil }

    /// Skips a character if it is the next one.
    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        offset += 1
        return true
    }

    /// Skips all matching bytes, and returns how many there were.
    @discardableResult
    private mutating func takeAll(_ fits: (UInt8) -> Bool) -> Int {
        let start = offset
        while let byte = next, fits(byte) { offset += 1 }
        return offset - start
    }

    private mutating func skipSpace() {
        takeAll { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }
    }

    /// Skips a value and the whitespace around it.
    private mutating func takeValue(depth: Int) -> Bool {
        skipSpace()
        defer { skipSpace() }
        if take("{") { return takeElements(until: "}", depth: depth + 1) }
        if take("[") { return takeElements(until: "]", depth: depth + 1) }
        if take("\"") { return takeStringAfterQuote() }
        return ["true", "false", "null"].contains { takeWord($0) } || takeNumber()
    }

    private mutating func takeElements(until close: Unicode.Scalar, depth: Int) -> Bool {
        guard depth <= Self.maximumDepth else { return false }
        skipSpace()
        if take(close) { return true }
        repeat {
            if close == "}" {
                skipSpace()
                guard take("\""), takeStringAfterQuote() else { return false }
                skipSpace()
                guard take(":") else { return false }
            }
            guard takeValue(depth: depth) else { return false }
        } while take(",")
        return take(close)
    }

    private mutating func takeStringAfterQuote() -> Bool {
        while let byte = next {
            offset += 1
            switch byte {
            case UInt8(ascii: "\""): return true
            case UInt8(ascii: "\\"): guard takeEscape() else { return false }
            case ..<0x20: return false
            default: break
            }
        }
        return false
    }

    private mutating func takeEscape() -> Bool {
        guard take("u") else { return "\"\\/bfnrt".unicodeScalars.contains { take($0) } }
        let digits = text[offset...].prefix(4)
        offset += digits.count
        return digits.count == 4
            && digits.allSatisfy { Character(Unicode.Scalar($0)).isHexDigit }
    }

    private mutating func takeNumber() -> Bool {
        _ = take("-")
        guard take("0") || takeDigits() else { return false }
        if take("."), !takeDigits() { return false }
        guard take("e") || take("E") else { return true }
        _ = take("+") || take("-")
        return takeDigits()
    }

    private mutating func takeDigits() -> Bool {
        takeAll { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } > 0
    }

    private mutating func takeWord(_ word: String) -> Bool {
        guard text[offset...].starts(with: word.utf8) else { return false }
        offset += word.utf8.count
        return true
    }
}
