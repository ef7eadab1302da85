internal import Logging
internal import Verypoll
internal import VerypollControl
internal import VerypollServer

extension Caller {
    /// Describes a client of the control socket.
    ///
    /// - Parameter peer: The credentials of the client at the time it connected.
    init(_ peer: PeerCredentials) {
        self.init(
            uid: Int(peer.userID),
            gid: Int(peer.groupID),
            pid: peer.processID > 0 ? Int(peer.processID) : nil,
            command: ProcessName.current(of: peer.processID)
        )
    }
}

extension Caller? {
    /// The end of a message about an action of the caller; empty without a caller.
    var suffix: String { map { " by \($0)" } ?? "" }
}

extension Logger.Metadata {
    /// Returns the metadata with the fields of a caller, if there is one.
    func by(_ caller: Caller?) -> Logger.Metadata {
        guard let caller else { return self }
        var all = self
        all["callerUID"] = .number(caller.uid)
        if let pid = caller.pid { all["callerPID"] = .number(pid) }
        if let command = caller.command { all["callerCommand"] = "\(command)" }
        return all
    }
}
