internal import Synchronization

/// A kind of event that is counted by kind; the raw values are 0, 1, 2 and so on, below 32.
package protocol CountedKind: RawRepresentable<UInt8>, CaseIterable, Hashable, Sendable {}

/// The number of events of each kind, as a plain value that only one thread uses.
package struct KindCounts<Kind: CountedKind>: Sendable, Equatable {
    fileprivate var counts: [32 of UInt64] = .init(repeating: 0)

    /// Makes counts of zero.
    package init() {}

    /// The number of events of a kind.
    package subscript(kind: Kind) -> UInt64 {
        get { counts[Int(kind.rawValue)] }
        set { counts[Int(kind.rawValue)] = newValue }
    }

    package static func + (left: KindCounts, right: KindCounts) -> KindCounts {
        var both = left
        for index in both.counts.indices { both.counts[index] += right.counts[index] }
        return both
    }

    package static func == (left: KindCounts, right: KindCounts) -> Bool {
        left.counts.indices.allSatisfy { left.counts[$0] == right.counts[$0] }
    }
}

/// The number of events of each kind, which several threads may read.
///
/// Either one thread publishes its own ``KindCounts``, or all threads add.
package struct SharedKindCounts<Kind: CountedKind>: ~Copyable, Sendable {
    private let counts: [32 of Atomic<UInt64>] = .init { _ in Atomic(0) }

    /// Counts an event; any thread may call this.
    func add(_ kind: Kind) {
        counts[Int(kind.rawValue)].add(1, ordering: .relaxed)
    }

    /// Replaces the number of events of a kind.
    func publish(_ count: UInt64, of kind: Kind) {
        counts[Int(kind.rawValue)].store(count, ordering: .relaxed)
    }

    /// Returns the number of events of a kind.
    package func count(of kind: Kind) -> UInt64 {
        counts[Int(kind.rawValue)].load(ordering: .relaxed)
    }

    /// The present counts.
    package var values: KindCounts<Kind> {
        var values = KindCounts<Kind>()
        for kind in Kind.allCases { values[kind] = count(of: kind) }
        return values
    }
}
