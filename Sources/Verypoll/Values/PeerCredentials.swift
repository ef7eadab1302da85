/// The credentials of a process at one end of a Unix-domain socket; see unix(7).
public struct PeerCredentials: Hashable, Sendable {
    /// The process ID, or 0 if the process is not visible in the receiver's PID namespace.
    public let processID: Int32
    /// The user ID; for a peer, its effective user ID.
    public let userID: UInt32
    /// The group ID; for a peer, its effective group ID.
    public let groupID: UInt32

    /// Creates credentials.
    public init(processID: Int32, userID: UInt32, groupID: UInt32) {
        self.processID = processID
        self.userID = userID
        self.groupID = groupID
    }
}
