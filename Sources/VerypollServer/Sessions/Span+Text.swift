// Text of HTTP as bytes: a request need not be valid UTF-8.

extension UInt8 {
    static let tab: UInt8 = 9
    static let lineFeed: UInt8 = 10
    static let carriageReturn: UInt8 = 13
    static let space: UInt8 = 32

    var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }

    private var isLetter: Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(lowercased)
    }

    /// Whether the byte may be part of a token; RFC 9110, 5.6.2.
    fileprivate var isOfToken: Bool {
        isDigit || isLetter || "!#$%&'*+-.^_`|~".utf8.contains(self)
    }

    /// Whether the byte may be part of a host or its port; RFC 3986, 3.2.2.
    fileprivate var isOfHost: Bool {
        isDigit || isLetter || "-._~!$&'()*+,;=%:[]".utf8.contains(self)
    }

    fileprivate var lowercased: UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) ? self | 0x20 : self
    }
}

extension Span<UInt8> {
    package var first: UInt8? { isEmpty ? nil : self[0] }

    /// Whether the bytes form a token, such as a method or the name of a field.
    var isToken: Bool { !isEmpty && consists(of: \.isOfToken) }

    /// Whether the bytes may be the value of a `Host` field.
    var isHost: Bool { consists(of: \.isOfHost) }

    /// Returns whether all bytes satisfy a condition.
    func consists(of isSuch: (UInt8) -> Bool) -> Bool {
        indices.allSatisfy { isSuch(self[$0]) }
    }

    package func firstIndex(of byte: UInt8) -> Int? {
        indices.first { self[$0] == byte }
    }

    /// Returns whether the bytes are exactly this text.
    func isExactly(_ text: String) -> Bool {
        isText(text) { $0 }
    }

    /// Returns whether the bytes are `word`, ignoring case; `word` must be in lowercase.
    func isWord(_ word: String) -> Bool {
        isText(word, \.lowercased)
    }

    private func isText(_ text: String, _ form: (UInt8) -> UInt8) -> Bool {
        count == text.utf8.count
            && zip(indices, text.utf8).allSatisfy { form(self[$0]) == $1 }
    }

    /// Returns the range from `start` to the end, without the blanks at either end of it.
    func trimmed(from start: Int = 0) -> Range<Int> {
        var range = start..<count
        while let first = range.first, self[first] == .space || self[first] == .tab {
            range.removeFirst()
        }
        while let last = range.last, self[last] == .space || self[last] == .tab {
            range.removeLast()
        }
        return range
    }

    /// Calls `body` with each element of a list, without the blanks around it.
    func forEachElement(separatedBy separator: UInt8, _ body: (Span<UInt8>) -> Void) {
        var start = 0
        while start <= count {
            let rest = extracting(start...)
            let length = rest.firstIndex(of: separator) ?? rest.count
            let element = rest.extracting(..<length)
            body(element.extracting(element.trimmed()))
            start += length + 1
        }
    }
}
