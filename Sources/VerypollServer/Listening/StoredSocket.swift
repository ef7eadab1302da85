/// The owner of the descriptor store, which keeps listening sockets for the next process of the
/// service.
package protocol SocketKeeper: AnyObject, Sendable {
    /// Whether this process ends for a restart; sockets and their files are then kept.
    var isForRestart: Bool { get }
    /// Whether this process has completed its start and replaced the previous one.
    ///
    /// Until then the start may still fail, and the next process needs every stored socket.
    var hasBegun: Bool { get }
    /// Notes that a socket is closed, and removes it from the store unless the next process gets
    /// it.
    func release(_ name: String)
    /// Removes a socket from the store.
    func forget(_ name: String)
}

/// The entry of a listening socket in the descriptor store.
///
/// Destroying this value removes the entry, unless the next process needs the stored socket.
/// The store keeps a socket open. Without the removal, clients would wait in a backlog that nobody
/// reads.
package struct StoredSocket: ~Copyable, Sendable {
    package let name: String
    private let keeper: any SocketKeeper

    package init(name: String, keeper: any SocketKeeper) {
        self.name = name
        self.keeper = keeper
    }

    deinit {
        keeper.release(name)
    }

    /// Removes the socket from the store, even if there is a next process.
    package func forget() { keeper.forget(name) }

    /// Whether the socket's file must outlive this process.
    package var isForRestart: Bool { keeper.isForRestart }
}
