internal import Synchronization

/// Bytes to and from a server.
package struct ServerTally: Sendable, Equatable {
    /// The bytes that were received from it.
    package var bytesIn: UInt64 = 0
    /// The bytes that were sent to it.
    package var bytesOut: UInt64 = 0

    static func + (left: ServerTally, right: ServerTally) -> ServerTally {
        ServerTally(
            bytesIn: left.bytesIn &+ right.bytesIn,
            bytesOut: left.bytesOut &+ right.bytesOut
        )
    }
}

/// The bytes that one worker has moved to and from a server, where other threads may read them.
///
/// The worker is the only writer, so a load and a store add to a number.
final class ServerTraffic: Sendable {
    private let bytesIn = Atomic<UInt64>(0)
    private let bytesOut = Atomic<UInt64>(0)

    // Inlined for the reason that `ListenerCounters.publish` is.
    @inline(__always)
    func add(_ tally: ServerTally) {
        bytesIn.store(bytesIn.load(ordering: .relaxed) &+ tally.bytesIn, ordering: .relaxed)
        bytesOut.store(bytesOut.load(ordering: .relaxed) &+ tally.bytesOut, ordering: .relaxed)
    }

    /// The bytes that were added so far.
    var tally: ServerTally {
        ServerTally(
            bytesIn: bytesIn.load(ordering: .relaxed),
            bytesOut: bytesOut.load(ordering: .relaxed)
        )
    }
}

/// The bytes that a worker has moved in the present turn, by server; a plain value in its own
/// hands, so that a session adds to it without touching what threads share.
struct ServerTallies {
    /// The worker's own counters of all servers, those of an upstream side by side.
    private var traffic: [ServerTraffic] = []
    /// By the slot of the upstream, where its first server is.
    private var offsets: [Int] = []
    private var pending: [ServerTally] = []
    /// The places that have something pending.
    private var dirty: [Int] = []

    /// Goes over to other upstreams, after publishing what the former ones have pending.
    mutating func adopt(_ upstreams: [Upstream], worker: Int) {
        publish()
        offsets = []
        traffic = []
        for upstream in upstreams {
            offsets.append(traffic.count)
            traffic += upstream.servers.map { $0.traffic[worker] }
        }
        pending = Array(repeating: ServerTally(), count: traffic.count)
        dirty.reserveCapacity(traffic.count)
    }

    /// Adds bytes of a server.
    mutating func add(_ tally: ServerTally, upstream: Int, server: Int) {
        let index = offsets[upstream] + server
        if pending[index] == ServerTally() { dirty.append(index) }
        pending[index] = pending[index] + tally
    }

    /// Shows what is pending to other threads.
    mutating func publish() {
        for index in dirty {
            traffic[index].add(pending[index])
            pending[index] = ServerTally()
        }
        dirty.removeAll(keepingCapacity: true)
    }
}
