internal import SystemPackage
internal import Verypoll
internal import VerypollConfiguration

extension ProxyHeader {
    /// Appends the header in the configured version, or nothing if the version is `off`.
    ///
    /// IPv4-mapped addresses are written as IPv4. If the other address is IPv6, an IPv4 address is
    /// written as an IPv4-mapped one, because both addresses must be of one family.
    ///
    /// - Parameters:
    ///   - version: The version.
    ///   - announced: The names in a TLS client's ClientHello, which a header of version 2 has as
    ///     extensions.
    ///   - output: Must have room for ``longestLine`` or ``longestBinary`` bytes.
    func write(
        _ version: UpstreamConfiguration.ProxyHeader,
        announced: InspectedClient? = nil,
        into output: inout OutputSpan<UInt8>
    ) {
        switch version {
        case .off: break
        case .v1: writeLine(into: &output)
        case .v2: writeBinary(announced, into: &output)
        }
    }

    private func writeLine(into output: inout OutputSpan<UInt8>) {
        guard case .tcp(let source, let destination) = origin else {
            return output.append("PROXY UNKNOWN\r\n")
        }
        let pair = AddressPair(source, destination)
        output.append(pair.family == .v4 ? "PROXY TCP4 " : "PROXY TCP6 ")
        output.append(pair.source)
        output.append(" ")
        output.append(pair.destination)
        output.append(" ")
        output.append(digitsOf: source.port, radix: 10)
        output.append(" ")
        output.append(digitsOf: destination.port, radix: 10)
        output.append("\r\n")
    }

    private func writeBinary(
        _ announced: InspectedClient?,
        into output: inout OutputSpan<UInt8>
    ) {
        output.append(Self.signature)
        let extensions = UInt32(announced?.extensionLength ?? 0)
        switch origin {
        case .local:
            output.append(number: 0x2000_0000 as UInt32)
        case .tcp(let source, let destination):
            let pair = AddressPair(source, destination)
            let prefix = pair.family == .v4 ? 0x2111_000C : 0x2121_0024 as UInt32
            output.append(number: prefix + extensions)
            output.append(bitsOf: pair.source)
            output.append(bitsOf: pair.destination)
            output.append(number: source.port)
            output.append(number: destination.port)
        case .unix(let source, let destination):
            output.append(number: 0x2131_00D8 as UInt32 + extensions)
            output.append(source)
            output.append(destination)
        }
        if case .local = origin { return }
        announced?.appendExtensions(to: &output)
    }
}

extension InspectedClient {
    /// The types of the extensions for the first protocol and for the name: PP2_TYPE_ALPN and
    /// PP2_TYPE_AUTHORITY.
    private static let protocolType: UInt8 = 0x01
    private static let nameType: UInt8 = 0x02

    /// The length of ``protocols``' first one.
    private var firstProtocolLength: Int { Int(protocols.first ?? 0) }

    /// The length of the extensions.
    fileprivate var extensionLength: Int {
        (protocols.isEmpty ? 0 : 3 + firstProtocolLength)
            + (serverName.isEmpty ? 0 : 3 + serverName.count)
    }

    /// Appends the extensions, each of which is a type, a length and that many bytes.
    fileprivate func appendExtensions(to output: inout OutputSpan<UInt8>) {
        if !protocols.isEmpty {
            output.append(Self.protocolType)
            output.append(number: UInt16(firstProtocolLength))
            for index in 1...firstProtocolLength { output.append(protocols[index]) }
        }
        if !serverName.isEmpty {
            output.append(Self.nameType)
            output.append(number: UInt16(serverName.count))
            for index in serverName.indices { output.append(serverName[index]) }
        }
    }
}

/// Two addresses of one family.
private struct AddressPair {
    let source: IPAddress
    let destination: IPAddress

    init(_ source: SocketAddress, _ destination: SocketAddress) {
        let (first, second) = (source.ip.unmapped, destination.ip.unmapped)
        self.source = first.family == second.family ? first : first.mapped
        self.destination = first.family == second.family ? second : second.mapped
    }

    var family: IPAddress.Family { source.family }
}

extension IPAddress {
    /// The IPv4-mapped form of an IPv4 address; an IPv6 address is returned unchanged.
    fileprivate var mapped: IPAddress {
        family == .v4 ? IPAddress(v6: 0xFFFF << 32 | bits) : self
    }

    /// Returns a 16-bit group of an IPv6 address; group 0 is the most significant.
    fileprivate func group(_ index: Int) -> UInt16 {
        UInt16(truncatingIfNeeded: bits >> UInt128(112 - 16 * index))
    }

    /// The first of the longest runs of at least two zero groups; an empty range at the end if
    /// there is none.
    fileprivate var zeroGroups: Range<Int> {
        var longest = 8..<8
        var start = 0
        for index in 0..<8 {
            if group(index) != 0 {
                start = index + 1
            } else if index + 1 - start > max(1, longest.count) {
                longest = start..<index + 1
            }
        }
        return longest
    }
}

extension OutputSpan<UInt8> {
    fileprivate mutating func append(_ text: String) {
        for byte in text.utf8 { append(byte) }
    }

    /// Appends a number, most significant byte first.
    fileprivate mutating func append<Number: FixedWidthInteger>(number: Number) {
        for shift in stride(from: Number.bitWidth - 8, through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: number >> Number(shift)))
        }
    }

    fileprivate mutating func append(bitsOf ip: IPAddress) {
        switch ip.family {
        case .v4: append(number: UInt32(truncatingIfNeeded: ip.bits))
        case .v6: append(number: ip.bits)
        }
    }

    /// Appends a number as text.
    fileprivate mutating func append(digitsOf number: UInt16, radix: UInt16) {
        if number >= radix { append(digitsOf: number / radix, radix: radix) }
        let digit = UInt8(number % radix)
        append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
    }

    /// Appends the text of an address.
    ///
    /// An IPv4-mapped address is written as groups only, because the protocol has no other form.
    fileprivate mutating func append(_ ip: IPAddress) {
        guard ip.family == .v6 else {
            for shift in stride(from: 24, through: 0, by: -8) {
                append(digitsOf: UInt16(ip.bits >> UInt128(shift) & 0xFF), radix: 10)
                if shift > 0 { append(".") }
            }
            return
        }
        let zeros = ip.zeroGroups
        for index in 0..<8 where !zeros.dropFirst().contains(index) {
            if index == zeros.lowerBound {
                append("::")
            } else {
                if index > 0, index != zeros.upperBound { append(":") }
                append(digitsOf: ip.group(index), radix: 16)
            }
        }
    }

    /// Appends a Unix-domain address, padded with zeros to its length in version 2.
    fileprivate mutating func append(_ address: UnixAddress) {
        let end = count + ProxyHeader.unixLength
        switch address {
        case .path(let path):
            path.withBytes { bytes in
                for index in bytes.indices { append(bytes[index]) }
            }
        case .abstract(let name):
            append(0)
            for byte in name { append(byte) }
        case .unnamed: break
        }
        precondition(count <= end, "the Unix-domain address is too long")
        while count < end { append(0) }
    }
}
