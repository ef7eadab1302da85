/// Who keeps listening sockets for the next process of the service.
package protocol SocketKeeper: AnyObject, Sendable {
    /// Whether this process ends so that the next can begin: sockets and their files stay then.
    var isForRestart: Bool { get }
    /// Whether this process has taken the place of the previous one.
    ///
    /// Until then it may still fail to start, and the next process needs all that it was given.
    var hasBegun: Bool { get }
    /// Notes that a socket is closed; removes it from the store unless the next process gets it.
    func release(_ name: String)
    /// Removes a socket from the store.
    func forget(_ name: String)
}

/// A listening socket's place in the descriptor store, which it loses with this value.
///
/// Otherwise clients would wait in a backlog that nobody reads: the store keeps the socket open.
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

    /// Takes the socket out of the store, whether or not there is a next process.
    package func forget() { keeper.forget(name) }

    /// Whether the socket's file is to outlive this process.
    package var isForRestart: Bool { keeper.isForRestart }
}
