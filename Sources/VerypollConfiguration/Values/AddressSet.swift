internal import Verypoll

/// A set of IP addresses, stored as the sorted values at which the set begins and ends in turn.
///
/// Blocks that overlap or touch are merged. A block takes 8 bytes for IPv4 and 32 bytes for IPv6.
/// An IPv4-mapped IPv6 address is IPv4.
package struct AddressSet: Equatable, Sendable {
    /// The boundaries of the IPv4 addresses.
    package let v4: [UInt32]
    /// The boundaries of the IPv6 addresses.
    package let v6: [UInt128]

    /// Makes the set of the addresses in any of the blocks.
    package init(_ blocks: some Sequence<AddressPrefix>) {
        var builder = Builder()
        for block in blocks { builder.add(block) }
        self = builder.finish()
    }

    fileprivate init(v4: [UInt32], v6: [UInt128]) {
        self.v4 = v4
        self.v6 = v6
    }

    package var isEmpty: Bool { v4.isEmpty && v6.isEmpty }

    /// A number that is the same for equal sets and, in practice, differs for others.
    var hash: UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func add(_ value: UInt64) {
            // FNV-1a on words, with the high bits mixed into the low ones.
            hash = (hash ^ value) &* 0x0000_0100_0000_01B3
            hash ^= hash >> 29
        }
        add(UInt64(v4.count))
        for bound in v4 { add(UInt64(bound)) }
        for bound in v6 {
            add(UInt64(truncatingIfNeeded: bound >> 64))
            add(UInt64(truncatingIfNeeded: bound))
        }
        return hash
    }
}

extension AddressSet {
    /// Collects blocks, and merges them at the end.
    struct Builder {
        /// IPv4 ranges: the first address in the high half, the last address in the low half.
        private var v4: [UInt64] = []
        private var v6: [ClosedRange<UInt128>] = []

        /// Adds the block of all IPv4 addresses whose first bits are those of `start`; its other
        /// bits must be zero.
        mutating func add(v4 start: UInt32, sharing bitCount: Int) {
            v4.append(UInt64(start) << 32 | UInt64(start | UInt32.max >> UInt32(bitCount)))
        }

        /// Adds a block of IPv6 addresses.
        mutating func add(v6 start: UInt128, sharing bitCount: Int) {
            v6.append(start...(start | UInt128.max >> UInt128(bitCount)))
        }

        mutating func add(_ block: AddressPrefix) {
            switch block.address.family {
            case .v4:
                let start = UInt32(truncatingIfNeeded: block.address.bits)
                add(v4: start, sharing: block.bitCount)
            case .v6: add(v6: block.address.bits, sharing: block.bitCount)
            }
        }

        mutating func add(_ set: AddressSet) {
            for index in stride(from: 0, to: set.v4.count, by: 2) {
                let last = index + 1 < set.v4.count ? set.v4[index + 1] - 1 : .max
                v4.append(UInt64(set.v4[index]) << 32 | UInt64(last))
            }
            for index in stride(from: 0, to: set.v6.count, by: 2) {
                let last = index + 1 < set.v6.count ? set.v6[index + 1] - 1 : .max
                v6.append(set.v6[index]...last)
            }
        }

        /// Returns the set.
        mutating func finish() -> AddressSet {
            v4.sort()
            v6.sort { $0.lowerBound < $1.lowerBound }
            return AddressSet(
                v4: boundaries(
                    v4.lazy.map { UInt32($0 >> 32)...UInt32(truncatingIfNeeded: $0) },
                    count: v4.count
                ),
                v6: boundaries(v6, count: v6.count)
            )
        }

        /// Returns the boundaries of sorted ranges.
        private func boundaries<Bits: FixedWidthInteger & UnsignedInteger>(
            _ ranges: some Sequence<ClosedRange<Bits>>,
            count: Int
        ) -> [Bits] {
            var boundaries: [Bits] = []
            boundaries.reserveCapacity(2 * count)
            var current: ClosedRange<Bits>?
            for range in ranges {
                guard let former = current else {
                    current = range
                    continue
                }
                if former.upperBound == .max { break }
                if range.lowerBound <= former.upperBound + 1 {
                    current = former.lowerBound...max(former.upperBound, range.upperBound)
                } else {
                    boundaries.append(former.lowerBound)
                    boundaries.append(former.upperBound + 1)
                    current = range
                }
            }
            if let current {
                boundaries.append(current.lowerBound)
                if current.upperBound != .max { boundaries.append(current.upperBound + 1) }
            }
            return boundaries
        }
    }
}
