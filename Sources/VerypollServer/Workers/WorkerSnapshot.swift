internal import Verypoll

/// The configuration of the workers; the supervisor makes a new snapshot for each change.
///
/// Sessions refer to listeners and upstreams by slot. From one snapshot to the next, a slot keeps
/// its contents as long as a session refers to it; see ``LiveConfiguration``.
package struct WorkerSnapshot: Sendable {
    /// A listening socket, and the slot of the listener that serves its connections.
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

    /// The number of the snapshot, higher than that of the snapshot before.
    package var number = 0
    /// The listeners by slot.
    package var listeners: [Listener] = []
    /// The upstreams by slot.
    package var upstreams: [Upstream] = []
    package var acceptors: [Acceptor] = []
    package var drains = Drains()
    /// Whether the end of each session is logged.
    package var logsSessions = false
    /// The most time that sessions get after their server goes down, in milliseconds.
    package var drainDeadline: UInt64 = 0
    /// The most pipes that a worker may have in use for splicing.
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
    /// The TCP ports that are both a listener's and a server's.
    var chainedPorts: Set<UInt16> {
        let listening = Set(acceptors.compactMap { $0.socket.bound?.port })
        let servers = upstreams.flatMap { $0.servers.compactMap(\.port) }
        return listening.intersection(servers)
    }
}

extension WorkerSnapshot: Equatable {
    package static func == (left: WorkerSnapshot, right: WorkerSnapshot) -> Bool {
        left.number == right.number
    }
}
