#if Net && OSExt
internal import Verypoll

/// What the workers are to do; the supervisor makes another one whenever that changes.
///
/// Sessions name their listeners and upstreams by slots, of which each plan has the same things in
/// the same places, but for those that no session has any more; see ``Roster``.
struct Plan: Sendable {
    /// Where connections are accepted, and the slot of the listener that gets them.
    struct Door: Sendable {
        let listener: Int
        let socket: ListeningSocket
    }

    /// Each has a higher one than the plan before.
    var number = 0
    /// The listeners by slot.
    var listeners: [Listener] = []
    /// The upstreams by slot.
    var upstreams: [Upstream] = []
    var doors: [Door] = []
    var drains = Drains()
    /// Whether the end of each session is logged.
    var logsSessions = false
    /// What sessions of a server that goes down get at most, in milliseconds.
    var drainDeadline: UInt64 = 0
    /// How many pipes a worker may have in use for bulk.
    var pipeLimit = 0
}

extension Plan {
    /// The TCP ports of listeners that servers of upstreams have as well.
    var chainedPorts: Set<UInt16> {
        let listening = Set(doors.compactMap { SocketAddress($0.socket.address)?.port })
        let servers = upstreams.flatMap { $0.servers.compactMap(\.port) }
        return listening.intersection(servers)
    }
}

extension Plan: Equatable {
    static func == (left: Plan, right: Plan) -> Bool { left.number == right.number }
}
#endif
