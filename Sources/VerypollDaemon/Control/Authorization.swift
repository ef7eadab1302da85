internal import Verypoll

/// What a client of the control socket may do; each level includes those before it.
enum Permission: Comparable, Sendable {
    /// Look.
    case read
    /// Look, and act on sessions, listeners and servers.
    case operate
    /// Everything.
    case all
}

/// Who may do what on the control socket.
struct Authorization: Hashable, Sendable {
    /// What the kernel shows in the place of users and groups that have no number in the daemon's
    /// user namespace, which `PrivateUsers=` gives it: so many stand behind it that it says
    /// nothing.
    private static let unknown: UInt32 = 65_534

    /// The user that the daemon runs as.
    var daemonUser: UInt32

    /// The group of the socket's file, if it has one.
    var group: UInt32?

    /// What a peer may do; who could not even open the socket was kept out by its mode.
    ///
    /// - Parameters:
    ///   - peer: Who was at the other end when it connected.
    ///   - groups: The peer's supplementary groups.
    /// - Returns: The highest level that the peer has.
    func permission(for peer: PeerCredentials, groups: [UInt32]) -> Permission {
        if peer.userID == 0 { return .all }
        if peer.userID == daemonUser, daemonUser != Self.unknown { return .all }
        guard let group, group != Self.unknown else { return .read }
        return peer.groupID == group || groups.contains(group) ? .operate : .read
    }
}
