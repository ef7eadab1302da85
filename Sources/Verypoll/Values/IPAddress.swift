/// An IPv4 or IPv6 address.
///
/// The text form is that of RFC 4291, printed as RFC 5952 recommends: `127.0.0.1`, `2001:db8::1`,
/// `::ffff:10.0.0.1`.
public struct IPAddress: Hashable, Sendable {
    /// The version of the Internet Protocol.
    public enum Family: UInt8, Hashable, Sendable {
        /// IPv4, of 32 bits.
        case v4
        /// IPv6, of 128 bits.
        case v6
    }

    // Two halves rather than a UInt128, whose alignment would double the size of an address.
    private let high: UInt64
    private let low: UInt64

    /// The protocol version of the address.
    public let family: Family

    /// Creates an IPv4 address from 32 bits, most significant octet first: 127.0.0.1 is
    /// `0x7F00_0001`.
    public init(v4 bits: UInt32) {
        high = 0
        low = UInt64(bits)
        family = .v4
    }

    /// Creates an IPv6 address from 128 bits, most significant octet first: ::1 is 1.
    public init(v6 bits: UInt128) {
        high = UInt64(truncatingIfNeeded: bits >> 64)
        low = UInt64(truncatingIfNeeded: bits)
        family = .v6
    }

    /// The address as a number, of 32 bits for IPv4 and 128 bits for IPv6.
    public var bits: UInt128 { UInt128(high) << 64 | UInt128(low) }

    /// 127.0.0.1 or ::1.
    public static func loopback(_ family: Family) -> IPAddress {
        family == .v4 ? IPAddress(v4: 0x7F00_0001) : IPAddress(v6: 1)
    }

    /// 0.0.0.0 or ::.
    ///
    /// A socket bound to this address uses every address of the machine.
    public static func any(_ family: Family) -> IPAddress {
        family == .v4 ? IPAddress(v4: 0) : IPAddress(v6: 0)
    }

    /// Whether the address is 0.0.0.0 or ::.
    public var isUnspecified: Bool { bits == 0 }

    /// Whether the address is in 127.0.0.0/8, or is ::1.
    public var isLoopback: Bool {
        family == .v4 ? low >> 24 == 127 : bits == 1
    }

    /// Whether the address is in 224.0.0.0/4 or ff00::/8.
    public var isMulticast: Bool {
        family == .v4 ? low >> 28 == 0xE : high >> 56 == 0xFF
    }

    /// Whether the address is in ::ffff:0:0/96: an IPv6 socket shows IPv4 peers in this form.
    public var isIPv4Mapped: Bool {
        family == .v6 && high == 0 && low >> 32 == 0xFFFF
    }

    /// The IPv4 address inside an IPv4-mapped address; any other address unchanged.
    public var unmapped: IPAddress {
        isIPv4Mapped ? IPAddress(v4: UInt32(truncatingIfNeeded: low)) : self
    }
}

extension IPAddress: LosslessStringConvertible {
    /// Parses the text of an address, without brackets, port, prefix length or zone.
    ///
    /// - Returns: `nil` unless `description` is exactly one address. As with inet_pton(3), an IPv4
    ///   address is four decimal numbers without leading zeros.
    public init?(_ description: String) {
        self.init(utf8: description.utf8[...])
    }

    init?(utf8 text: Substring.UTF8View) {
        if text.contains(UInt8(ascii: ":")) {
            guard let bits = Self.parseV6(text) else { return nil }
            self.init(v6: bits)
        } else {
            guard let bits = Self.parseV4(text) else { return nil }
            self.init(v4: bits)
        }
    }

    /// The address in the form that RFC 5952 recommends.
    public var description: String {
        guard family == .v6 else { return Self.dotted(UInt32(truncatingIfNeeded: low)) }
        if isIPv4Mapped { return "::ffff:" + Self.dotted(UInt32(truncatingIfNeeded: low)) }
        let groups = (0..<8).map { UInt16(truncatingIfNeeded: bits >> (112 - 16 * UInt128($0))) }
        let zeros = Self.longestZeroRun(groups)
        let text = { (part: ArraySlice<UInt16>) in
            part.map { String($0, radix: 16) }.joined(separator: ":")
        }
        guard zeros.count > 1 else { return text(groups[...]) }
        return text(groups[..<zeros.lowerBound]) + "::" + text(groups[zeros.upperBound...])
    }

    private static func dotted(_ bits: UInt32) -> String {
        "\(bits >> 24).\(bits >> 16 & 0xFF).\(bits >> 8 & 0xFF).\(bits & 0xFF)"
    }

    /// Returns the first of the longest runs of zero groups.
    private static func longestZeroRun(_ groups: [UInt16]) -> Range<Int> {
        var longest = 0..<0
        var start = 0
        for (index, group) in groups.enumerated() {
            if group != 0 {
                start = index + 1
            } else if index + 1 - start > longest.count {
                longest = start..<index + 1
            }
        }
        return longest
    }

    private static func parseV4(_ text: Substring.UTF8View) -> UInt32? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bits: UInt32 = 0
        for part in parts {
            guard let octet = decimal(part, upTo: 255) else { return nil }
            bits = bits << 8 | UInt32(octet)
        }
        return bits
    }

    private static func parseV6(_ text: Substring.UTF8View) -> UInt128? {
        var head: [UInt16] = []
        var tail: [UInt16]?
        var rest = text
        if rest.starts(with: "::".utf8) {
            tail = []
            rest = rest.dropFirst(2)
        }
        while !rest.isEmpty {
            let part = rest.prefix { $0 != UInt8(ascii: ":") }
            rest = rest[part.endIndex...]
            if rest.isEmpty, let v4 = parseV4(part) {
                let halves = [UInt16(v4 >> 16), UInt16(truncatingIfNeeded: v4)]
                if tail == nil { head += halves } else { tail? += halves }
                break
            }
            guard let group = hexadecimal(part) else { return nil }
            if tail == nil { head.append(group) } else { tail?.append(group) }
            guard head.count + (tail?.count ?? 0) <= 8 else { return nil }
            if rest.isEmpty { break }
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: ":") {
                guard tail == nil else { return nil }
                tail = []
                rest = rest.dropFirst()
            } else if rest.isEmpty {
                return nil
            }
        }
        let given = head.count + (tail?.count ?? 0)
        guard tail == nil ? given == 8 : given < 8 else { return nil }
        let groups = head + Array(repeating: 0, count: 8 - given) + (tail ?? [])
        return groups.reduce(0) { $0 << 16 | UInt128($1) }
    }

    private static func hexadecimal(_ text: Substring.UTF8View) -> UInt16? {
        guard (1...4).contains(text.count), text.allSatisfy({ Character(.init($0)).isHexDigit })
        else { return nil }
        return UInt16(Substring(text), radix: 16)
    }

    /// Parses a number without sign or leading zeros.
    static func decimal(_ text: Substring.UTF8View, upTo limit: UInt32) -> UInt32? {
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard text.allSatisfy(digits.contains), text.count <= 10 else { return nil }
        guard text.count == 1 || text.first != UInt8(ascii: "0") else { return nil }
        guard let value = UInt32(Substring(text)), value <= limit else { return nil }
        return value
    }
}
