internal import Verypoll

/// A question for the records of a name, of the class of the Internet.
struct DNSQuestion: Hashable, Sendable {
    /// The type of a record.
    enum RecordType: UInt16, Sendable {
        /// An IPv4 address (RFC 1035).
        case a = 1
        /// Another name for which to ask (RFC 1035).
        case cname = 5
        /// An IPv6 address (RFC 3596).
        case aaaa = 28
        /// A server of a service (RFC 2782).
        case srv = 33
    }

    /// The class of the Internet, in messages.
    static let internet: UInt16 = 1
    /// The longest datagram that the name server may send.
    ///
    /// Larger ones are often fragmented and lost; see https://www.dnsflagday.net/2020.
    static let datagramLimit: UInt16 = 1232

    let name: DNSName
    let type: RecordType

    init(name: DNSName, type: RecordType) {
        self.name = name
        self.type = type
    }

    /// Makes the question for the addresses of a name, of one family.
    init(addressesOf name: DNSName, _ family: IPAddress.Family) {
        self.init(name: name, type: family == .v4 ? .a : .aaaa)
    }

    /// Writes the message that asks the question, and desires recursion.
    ///
    /// - Parameters:
    ///   - identifier: The number that the answer must have.
    ///   - extended: Whether to allow answers of ``datagramLimit`` bytes (RFC 6891) rather than
    ///     512; some servers reject such questions.
    /// - Returns: The message, for a datagram.
    func message(identifier: UInt16, extended: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        func append(_ number: UInt16) {
            bytes.append(UInt8(number >> 8))
            bytes.append(UInt8(truncatingIfNeeded: number))
        }
        append(identifier)
        append(0x0100)
        for count: UInt16 in [1, 0, 0, extended ? 1 : 0] { append(count) }
        bytes += name.bytes
        append(type.rawValue)
        append(Self.internet)
        if extended {
            bytes += DNSName.root.bytes
            for field: UInt16 in [41, Self.datagramLimit, 0, 0, 0] { append(field) }
        }
        return bytes
    }
}
