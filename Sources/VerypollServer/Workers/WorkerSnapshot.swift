internal import Verypoll

/// What the workers are to do; the supervisor makes another one whenever that changes.
///
/// Sessions name their listeners and upstreams by slots, of which each snapshot has the same things
/// in the same places, but for those that no session has any more; see ``LiveConfiguration``.
package struct WorkerSnapshot: Sendable {
    /// Where connections are accepted, and the slot of the listener that gets them.
    package struct Acceptor: Sendable {
        package let listener: Int
        package let socket: ListeningSocket

        package init(
            listener: Int,
            socket: ListeningSocket
        ) {
            self.listener = listener
            self.socket = socket
        }
    }

    /// Each has a higher one than the snapshot before.
    package var number = 0
    /// The listeners by slot.
    package var listeners: [Listener] = []
    /// The upstreams by slot.
    package var upstreams: [Upstream] = []
    package var acceptors: [Acceptor] = []
    package var drains = Drains()
    /// Whether the end of each session is logged.
    package var logsSessions = false
    /// What sessions of a server that goes down get at most, in milliseconds.
    package var drainDeadline: UInt64 = 0
    /// How many pipes a worker may have in use for bulk.
    package var pipeLimit = 0

    package init(
        number: Int = 0,
        listeners: [Listener] = [],
        upstreams: [Upstream] = [],
        acceptors: [Acceptor] = [],
        drains: Drains = Drains(),
        logsSessions: Bool = false,
        drainDeadline: UInt64 = 0,
        pipeLimit: Int = 0
    ) {
        self.number = number
        self.listeners = listeners
        self.upstreams = upstreams
        self.acceptors = acceptors
        self.drains = drains
        self.logsSessions = logsSessions
        self.drainDeadline = drainDeadline
        self.pipeLimit = pipeLimit
    }
}

extension WorkerSnapshot {
    /// The TCP ports of listeners that servers of upstreams have as well.
    var chainedPorts: Set<UInt16> {
        let listening = Set(acceptors.compactMap { SocketAddress($0.socket.address)?.port })
        let servers = upstreams.flatMap { $0.servers.compactMap(\.port) }
        return listening.intersection(servers)
    }
}

extension WorkerSnapshot: Equatable {
    package static func == (left: WorkerSnapshot, right: WorkerSnapshot) -> Bool {
        left.number == right.number
    }
}
