internal import Verypoll
internal import VerypollConfiguration

/// The addresses that may connect: those that are allowed and not denied.
///
/// An IPv4-mapped IPv6 address is treated as IPv4. A lookup is one binary search: 15 comparisons
/// for 10,000 blocks.
package struct AccessRules: Sendable {
    private let v4: BoundaryList<UInt32>
    private let v6: BoundaryList<UInt128>

    /// Makes the rules.
    ///
    /// - Parameters:
    ///   - allow: The only blocks that may connect, or `nil` to allow all addresses.
    ///   - deny: The blocks that may not connect, even if `allow` contains them.
    init(allow: [AddressPrefix]?, deny: [AddressPrefix]) {
        v4 = Self.list(.v4, allow: allow, deny: deny)
        v6 = Self.list(.v6, allow: allow, deny: deny)
    }

    /// Returns whether an address may connect.
    func admits(_ address: IPAddress) -> Bool {
        let address = address.unmapped
        return switch address.family {
        case .v4: v4.contains(UInt32(truncatingIfNeeded: address.bits))
        case .v6: v6.contains(address.bits)
        }
    }

    private static func list<Bits: FixedWidthInteger & UnsignedInteger & Sendable>(
        _ family: IPAddress.Family,
        allow: [AddressPrefix]?,
        deny: [AddressPrefix]
    ) -> BoundaryList<Bits> {
        let blocks = { (prefixes: [AddressPrefix]) in
            prefixes.filter { $0.address.family == family }
                .map { Block(Bits($0.address.bits), sharing: $0.bitCount) }
        }
        return BoundaryList(
            allow: allow.map(blocks) ?? [Block(0, sharing: 0)],
            deny: blocks(deny)
        )
    }
}

/// A range of values.
struct Block<Bound: Comparable & Sendable>: Sendable {
    /// The first value.
    let start: Bound
    /// The first value after the block, or `nil` if the block ends with the largest value.
    let end: Bound?
}

extension Block where Bound: FixedWidthInteger & UnsignedInteger {
    /// Makes the block of all numbers whose first bits are those of `start`; its other bits must be
    /// zero.
    fileprivate init(_ start: Bound, sharing bitCount: Int) {
        let last = start | Bound.max >> Bound(bitCount)
        self.start = start
        end = last == .max ? nil : last + 1
    }
}

/// A set of values, stored as the sorted values at which the set begins and ends in turn.
struct BoundaryList<Bound: Comparable & Sendable>: Sendable {
    private let boundaries: [Bound]

    /// Makes the set of the values in a block of `allow` and in no block of `deny`; blocks may
    /// overlap.
    init(allow: [Block<Bound>], deny: [Block<Bound>]) {
        // The begin and end of each block, and how they change the number of blocks of each kind.
        var steps: [(bound: Bound, allowed: Int, denied: Int)] = []
        for block in allow {
            steps.append((block.start, 1, 0))
            if let end = block.end { steps.append((end, -1, 0)) }
        }
        for block in deny {
            steps.append((block.start, 0, 1))
            if let end = block.end { steps.append((end, 0, -1)) }
        }
        steps.sort { $0.bound < $1.bound }
        var boundaries: [Bound] = []
        var (allowed, denied) = (0, 0)
        for (index, step) in steps.enumerated() {
            allowed += step.allowed
            denied += step.denied
            // Blocks that touch form one: only the state after the last step at a value counts.
            if index + 1 < steps.count, steps[index + 1].bound == step.bound { continue }
            let isInside = boundaries.count % 2 == 1
            if (allowed > 0 && denied == 0) != isInside { boundaries.append(step.bound) }
        }
        self.boundaries = boundaries
    }

    /// Returns whether a value is in the set.
    func contains(_ value: Bound) -> Bool {
        var (low, high) = (0, boundaries.count)
        while low < high {
            let middle = (low + high) / 2
            if value < boundaries[middle] { high = middle } else { low = middle + 1 }
        }
        return low % 2 == 1
    }
}
