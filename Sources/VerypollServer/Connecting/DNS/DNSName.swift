/// A domain name in the form of messages (RFC 1035, section 3.1), with ASCII letters in lower case.
struct DNSName: Hashable, Sendable {
    /// The most bytes of a name in this form.
    static let sizeLimit = 255
    /// The most bytes of a label.
    static let labelLimit = 63
    /// The name `.`.
    static let root = DNSName(bytes: [0])

    /// The labels, each after a byte with its length, and a 0.
    let bytes: [UInt8]

    /// Makes a name of valid labels in lower case.
    fileprivate init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Makes the name of a text such as `_app._tcp.example.com`; a dot at its end changes nothing.
    ///
    /// - Returns: `nil` if a label is empty or too long, or the name is too long.
    init?(_ text: String) {
        if text == "." {
            self = .root
            return
        }
        var bytes: [UInt8] = []
        var labels = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        if labels.count > 1, labels[labels.count - 1].isEmpty { labels.removeLast() }
        for label in labels {
            guard (1...Self.labelLimit).contains(label.count) else { return nil }
            bytes.append(UInt8(label.count))
            bytes += label.map(\.inLowerCase)
        }
        bytes.append(0)
        guard bytes.count <= Self.sizeLimit else { return nil }
        self.init(bytes: bytes)
    }
}

extension DNSName: CustomStringConvertible {
    /// The name without a dot at its end, or `.`.
    ///
    /// Different names have different texts: bytes other than letters, digits, `-` and `_` are
    /// written as `\DDD`.
    var description: String {
        if self == .root { return "." }
        var text = ""
        var offset = 0
        while bytes[offset] > 0 {
            let end = offset + 1 + Int(bytes[offset])
            if offset > 0 { text += "." }
            for byte in bytes[offset + 1..<end] { text += Self.text(of: byte) }
            offset = end
        }
        return text
    }

    private static func text(of byte: UInt8) -> String {
        let character = Character(Unicode.Scalar(byte))
        let isPlain = character.isASCII && (character.isLetter || character.isNumber)
        if isPlain || character == "-" || character == "_" { return String(character) }
        let digits = String(byte)
        return "\\" + String(repeating: "0", count: 3 - digits.count) + digits
    }
}

/// Reads the parts of a message (RFC 1035, section 4.1) in their order.
struct DNSReader {
    /// The bytes are not a valid message.
    struct Malformed: Error {}

    /// The most pointers of a name; a name has at most 127 labels.
    private static let pointerLimit = 127

    private let bytes: [UInt8]
    private(set) var offset = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Reads a number, most significant byte first.
    mutating func number<Number: FixedWidthInteger & UnsignedInteger>(
        _ type: Number.Type
    ) throws(Malformed) -> Number {
        var number: UInt128 = 0
        for _ in 0..<Number.bitWidth / 8 {
            guard offset < bytes.count else { throw Malformed() }
            number = number << 8 | UInt128(bytes[offset])
            offset += 1
        }
        return Number(truncatingIfNeeded: number)
    }

    mutating func skip(_ count: Int) throws(Malformed) {
        guard count <= bytes.count - offset else { throw Malformed() }
        offset += count
    }

    /// Reads a name, which may end with a pointer to an earlier name (section 4.1.4).
    ///
    /// Each pointer must point to before the labels that it follows, so that no loop is possible.
    mutating func name() throws(Malformed) -> DNSName {
        var labels: [UInt8] = []
        var position = offset
        var partStart = offset
        var pointerCount = 0
        while true {
            guard position < bytes.count else { throw Malformed() }
            let length = Int(bytes[position])
            switch length >> 6 {
            case 0:
                let end = position + 1 + length
                // The 0 at the end must fit as well.
                let room = DNSName.sizeLimit - (length == 0 ? 0 : 1)
                guard end <= bytes.count, labels.count + 1 + length <= room else {
                    throw Malformed()
                }
                labels.append(UInt8(length))
                labels += bytes[position + 1..<end].map(\.inLowerCase)
                position = end
                if pointerCount == 0 { offset = position }
                if length == 0 { return DNSName(bytes: labels) }
            case 3:
                guard position + 1 < bytes.count else { throw Malformed() }
                let target = (length & 0x3F) << 8 | Int(bytes[position + 1])
                if pointerCount == 0 { offset = position + 2 }
                pointerCount += 1
                guard target < partStart, pointerCount <= Self.pointerLimit else {
                    throw Malformed()
                }
                partStart = target
                position = target
            default: throw Malformed()
            }
        }
    }
}

extension UInt8 {
    /// The same byte, or the lower-case letter of an ASCII letter.
    fileprivate var inLowerCase: UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) ? self | 0x20 : self
    }
}
