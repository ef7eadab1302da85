internal import Console
package import Verypoll

/// A block of IP addresses whose first bits are the same.
///
/// The text is in CIDR notation, such as `10.0.0.0/8` or `2001:db8::/32`. An address alone is a
/// block of one address.
package struct AddressPrefix: Hashable, Sendable {
    /// The first address of the block.
    package let address: IPAddress

    /// The number of bits that all addresses share.
    package let bitCount: Int

    /// Returns whether an address is in the block.
    ///
    /// An IPv4-mapped IPv6 address counts as IPv4.
    package func contains(_ address: IPAddress) -> Bool {
        let candidate = address.unmapped
        guard candidate.family == self.address.family else { return false }
        return Self.mask(candidate, to: bitCount) == self.address
    }

    /// Parses a block.
    ///
    /// - Throws: `InvalidValue` unless the text is an address, or an address with a prefix length
    ///   after which all bits are zero.
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

    /// Returns the address with all bits after the prefix set to zero.
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
