internal import Console
package import Verypoll

/// A block of IP addresses: those whose first bits are the same.
///
/// Its text is that of CIDR, `10.0.0.0/8` or `2001:db8::/32`; an address alone is a block of one.
package struct AddressPrefix: Hashable, Sendable {
    /// The first address of the block.
    package let address: IPAddress

    /// How many bits all its addresses share.
    package let bitCount: Int

    /// Whether an address is in the block; an IPv4-mapped IPv6 address is taken for IPv4.
    package func contains(_ address: IPAddress) -> Bool {
        let candidate = address.unmapped
        guard candidate.family == self.address.family else { return false }
        return Self.mask(candidate, to: bitCount) == self.address
    }

    /// Parses a block.
    ///
    /// - Throws: `InvalidValue` unless the text is an address, alone or with the number of shared
    ///   bits, all others of which are zero.
    package init(_ text: String) throws(InvalidValue) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = parts.first.flatMap({ IPAddress(String($0)) }) else {
            throw InvalidValue(
                "\(text.quoted) is not a valid address block; write one such as \"10.0.0.0/8\" or"
                    + " \"2001:db8::1\""
            )
        }
        let width = address.family == .v4 ? 32 : 128
        var bitCount = width
        if parts.count == 2 {
            guard let number = Int(parts[1]), (0...width).contains(number),
                parts[1].allSatisfy(\.isNumber)
            else {
                throw InvalidValue(
                    "\(String(parts[1]).quoted) is not a valid prefix length for \(address); write"
                        + " a number from 0 to \(width)"
                )
            }
            bitCount = number
        }
        let first = Self.mask(address, to: bitCount)
        guard first == address else {
            throw InvalidValue(
                "\(text.quoted) has bits set after the prefix; write \"\(first)/\(bitCount)\""
                    + " for the block or \"\(address)\" for the address"
            )
        }
        if address.isIPv4Mapped, bitCount >= 96 {
            self.address = address.unmapped
            self.bitCount = bitCount - 96
        } else {
            self.address = address
            self.bitCount = bitCount
        }
    }

    /// The address with all bits behind the first ones zero.
    private static func mask(_ address: IPAddress, to bitCount: Int) -> IPAddress {
        switch address.family {
        case .v4:
            let mask = UInt32.max << (32 - bitCount)
            return IPAddress(v4: UInt32(truncatingIfNeeded: address.bits) & mask)
        case .v6:
            return IPAddress(v6: address.bits & UInt128.max << (128 - bitCount))
        }
    }
}

extension AddressPrefix: CustomStringConvertible {
    /// The address, a slash and the number of shared bits.
    package var description: String { "\(address)/\(bitCount)" }
}
