internal import Synchronization

/// The numbers of bytes moved to and from a server.
package struct ServerTally: Sendable, Equatable {
    /// The bytes received from the server.
    package var bytesIn: UInt64 = 0
    /// The bytes sent to the server.
    package var bytesOut: UInt64 = 0

    static func + (left: ServerTally, right: ServerTally) -> ServerTally {
        ServerTally(
            bytesIn: left.bytesIn &+ right.bytesIn,
            bytesOut: left.bytesOut &+ right.bytesOut
        )
    }
}

/// The bytes that one worker has moved to and from a server, for other threads to read.
///
/// Only the worker writes, so it adds with a plain load and store.
final class ServerTraffic: Sendable {
    private let bytesIn = Atomic<UInt64>(0)
    private let bytesOut = Atomic<UInt64>(0)

    // Inlined for the same reason as `ListenerCounters.publish`.
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

/// The bytes that a worker has moved in the current turn, by server; a plain value, so that a
/// session adds to it without touching memory that threads share.
struct ServerTallies {
    /// The worker's counters of all servers, those of an upstream next to each other.
    private var traffic: [ServerTraffic] = []
    /// The index of each upstream's first server, by the slot of the upstream.
    private var offsets: [Int] = []
    private var pending: [ServerTally] = []
    /// The indices with unpublished bytes.
    private var dirty: [Int] = []

    /// Publishes all unpublished bytes and adopts other upstreams.
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

    /// Publishes the bytes for other threads.
    mutating func publish() {
        for index in dirty {
            traffic[index].add(pending[index])
            pending[index] = ServerTally()
        }
        dirty.removeAll(keepingCapacity: true)
    }
}
