internal import Verypoll

/// The permission of a client of the control socket.
///
/// Each level includes the lower ones.
enum Permission: Comparable, Sendable {
    /// Read the state, and check configurations.
    case read
    /// Change sessions, listeners, servers and the log level, and reload.
    case operate
    /// Everything.
    case all
}

/// The permissions of peers on the control socket.
struct Authorization: Hashable, Sendable {
    /// The ID that the kernel shows for users and groups that have no ID in the daemon's user
    /// namespace, which `PrivateUsers=` creates.
    ///
    /// A match with this ID grants nothing, because many users and groups share the ID.
    private static let unknown: UInt32 = 65_534

    /// The user that the daemon runs as.
    var daemonUser: UInt32

    /// The group of the socket's file, if it has one.
    var group: UInt32?

    /// Returns the permission of a peer.
    ///
    /// The socket's mode has already kept out users who may not connect.
    ///
    /// - Parameters:
    ///   - peer: The credentials of the peer at the time it connected.
    ///   - groups: The peer's supplementary groups.
    /// - Returns: The highest level that the peer has.
    func permission(for peer: PeerCredentials, groups: [UInt32]) -> Permission {
        if peer.userID == 0 { return .all }
        if peer.userID == daemonUser, daemonUser != Self.unknown { return .all }
        guard let group, group != Self.unknown else { return .read }
        return peer.groupID == group || groups.contains(group) ? .operate : .read
    }
}
