#if Net && OSExt
internal import SystemPackage

extension Roster {
    /// Gives the files of the sockets that stay the access that their listeners ask for now.
    ///
    /// - Parameter former: The roster before, by which the files are as they are.
    /// - Throws: Why a file can't have it; then all files are as they were.
    func applyFileAccess(after former: Roster) throws(ListenerError) {
        var undo: [(socket: ListeningSocket, former: ListenerConfiguration)] = []
        for entry in listenersChanged(from: former) {
            for socket in entry.sockets {
                guard let owner = former.owner(of: socket),
                    !owner.socket.hasSameAccess(as: entry.configuration.socket)
                else { continue }
                undo.append((socket, owner))
                do throws(FileAccessError) {
                    try socket.applyFileAccess(entry.configuration)
                } catch {
                    // What it had before can be had again, as it was had then.
                    for (socket, former) in undo { try? socket.applyFileAccess(former) }
                    throw ListenerError(
                        listener: entry.name,
                        address: socket.place,
                        reason: error.reason,
                        keys: ["socket", error.key]
                    )
                }
            }
        }
    }

    private func owner(of socket: ListeningSocket) -> ListenerConfiguration? {
        served.first { $0.sockets.contains { $0 === socket } }?.configuration
    }
}

extension SocketOptions {
    fileprivate func hasSameAccess(as other: SocketOptions) -> Bool {
        (mode, owner, group) == (other.mode, other.owner, other.group)
    }
}

extension FileAccess {
    /// The access that a listener's options ask for.
    init(_ options: SocketOptions) throws(FileAccessError) {
        try self.init(mode: options.mode, owner: options.owner, group: options.group)
    }
}
#endif
