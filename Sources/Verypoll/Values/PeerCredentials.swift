/// Who was at the other end of a Unix-domain socket when it was connected; see unix(7).
public struct PeerCredentials: Hashable, Sendable {
    /// The process, or 0 if it is not in our PID namespace.
    public let processID: Int32
    /// The effective user.
    public let userID: UInt32
    /// The effective group.
    public let groupID: UInt32

    /// Makes credentials of their parts.
    public init(processID: Int32, userID: UInt32, groupID: UInt32) {
        self.processID = processID
        self.userID = userID
        self.groupID = groupID
    }
}
