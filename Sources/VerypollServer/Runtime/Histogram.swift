internal import Synchronization

/// The bucket bounds for one kind of value.
package protocol HistogramScale: Sendable {
    /// The largest value of each bucket except the last one, in microseconds and ascending.
    static var bounds: [15 of UInt64] { get }
}

/// A histogram as a plain value that only one thread uses.
package struct Histogram<Scale: HistogramScale>: Sendable, Equatable {
    /// The number of values in each bucket; the last bucket has those above the last bound.
    package fileprivate(set) var counts: [16 of UInt64] = .init(repeating: 0)

    /// The sum of all values in microseconds; it wraps around after 584,000 years.
    package fileprivate(set) var sum: UInt64 = 0

    /// Makes an empty histogram.
    package init() {}

    /// The number of all values.
    package var count: UInt64 {
        counts.indices.reduce(0) { $0 + counts[$1] }
    }

    /// Adds a value.
    package mutating func add(microseconds value: UInt64) {
        counts[Self.bucket(of: value)] += 1
        sum &+= value
    }

    fileprivate static func bucket(of value: UInt64) -> Int {
        let bounds = Scale.bounds
        var bucket = 0
        while bucket < bounds.count, value > bounds[bucket] { bucket += 1 }
        return bucket
    }

    package static func + (left: Histogram, right: Histogram) -> Histogram {
        var both = left
        for bucket in both.counts.indices { both.counts[bucket] += right.counts[bucket] }
        both.sum &+= right.sum
        return both
    }

    package static func == (left: Histogram, right: Histogram) -> Bool {
        left.sum == right.sum
            && left.counts.indices.allSatisfy { left.counts[$0] == right.counts[$0] }
    }
}

/// A histogram that several threads may read.
///
/// Either one thread publishes its own ``Histogram`` into it, as in ``ListenerCounters``, or all
/// threads add values to it. A concurrent reader may see a sum that is newer than the counts.
package struct SharedHistogram<Scale: HistogramScale>: ~Copyable, Sendable {
    private let counts: [16 of Atomic<UInt64>] = .init { _ in Atomic(0) }
    private let sum = Atomic<UInt64>(0)

    /// Adds a value; any thread may call this.
    func add(microseconds value: UInt64) {
        counts[Histogram<Scale>.bucket(of: value)].add(1, ordering: .relaxed)
        sum.wrappingAdd(value, ordering: .relaxed)
    }

    /// Replaces the contents with those of a histogram.
    func publish(_ histogram: Histogram<Scale>) {
        for bucket in counts.indices {
            counts[bucket].store(histogram.counts[bucket], ordering: .relaxed)
        }
        sum.store(histogram.sum, ordering: .relaxed)
    }

    /// The present contents.
    package var histogram: Histogram<Scale> {
        var histogram = Histogram<Scale>()
        for bucket in counts.indices {
            histogram.counts[bucket] = counts[bucket].load(ordering: .relaxed)
        }
        histogram.sum = sum.load(ordering: .relaxed)
        return histogram
    }
}

/// The buckets for the durations of sessions, from one millisecond to an hour.
package enum SessionTime: HistogramScale {
    package static let bounds: [15 of UInt64] = [
        1_000, 5_000, 10_000, 50_000, 100_000, 500_000,
        1_000_000, 5_000_000, 10_000_000, 30_000_000,
        60_000_000, 300_000_000, 600_000_000, 1_800_000_000, 3_600_000_000,
    ]
}

/// The buckets for the time to connect to a server, from a tenth of a millisecond to ten seconds.
package enum ConnectTime: HistogramScale {
    package static let bounds: [15 of UInt64] = [
        100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000,
        100_000, 250_000, 500_000, 1_000_000, 5_000_000, 10_000_000,
    ]
}
