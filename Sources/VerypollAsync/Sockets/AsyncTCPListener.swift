public import SystemPackage
public import Verypoll

/// A listening TCP socket of a ``PollExecutor``, closed when it goes out of scope.
public struct AsyncTCPListener: ~Copyable, AsyncSource {
    /// The socket, for its options and address.
    public let socket: TCPListener
    private let registration: Registration

    public var handle: SourceHandle { registration.handle }

    /// Adds a listening socket to an executor.
    ///
    /// - Throws: `Errno.tooManyOpenFiles` if the executor is at its limit of sources. The socket
    ///   is closed then.
    public init(_ socket: consuming TCPListener, on executor: PollExecutor) throws(Errno) {
        registration = try Registration(socket, .listener, on: executor)
        self.socket = socket
    }

    /// Binds to `address` and listens.
    ///
    /// - Parameters:
    ///   - address: The address to bind to. Port 0 lets the kernel choose a port.
    ///   - options: The options to set before the socket listens.
    ///   - executor: The executor of the socket.
    /// - Throws: `Errno.addressInUse` if the port is taken, `Errno.addressNotAvailable` if no
    ///   interface has the address. See bind(2) and listen(2).
    public init(
        binding address: SocketAddress,
        options: TCPListener.Options = TCPListener.Options(),
        on executor: PollExecutor
    ) throws(Errno) {
        try self.init(TCPListener(binding: address, options: options), on: executor)
    }

    /// Accepts the next connection.
    ///
    /// A connection that failed before it was accepted is skipped.
    ///
    /// - Parameters:
    ///   - executor: The executor of the connection; `nil` for that of the listener.
    ///   - deadline: When to stop waiting.
    /// - Returns: The connection.
    /// - Throws: `Errno.tooManyOpenFiles` and the like if the process is out of resources; the
    ///   connection remains in the backlog, so accept again after a pause. `Errno.canceled` also
    ///   when the executor is being shut down. `Errno.deadlineExceeded`. See accept(2).
    public func accept(
        on executor: PollExecutor? = nil,
        until deadline: Deadline = .never
    ) async throws(Errno) -> AsyncTCPStream {
        var attempt = Attempt()
        while true {
            try await handle.begin(.read, &attempt, until: deadline)
            do throws(Errno) {
                if let accepted = try socket.accept() {
                    let executor = executor ?? registration.executor
                    return try AsyncTCPStream(accepted.stream, on: executor)
                }
                handle.block(.read, &attempt)
            } catch let error where AcceptFailure(error) == .connection {
                continue
            }
        }
    }

    /// Accepts connections, and runs `body` for each in a child task, until the task is canceled.
    ///
    /// The tasks run on the executor of the listener. If the process is out of descriptors, the
    /// next connections wait in the backlog, and accepting is tried again every 100 ms.
    ///
    /// - Parameters:
    ///   - limit: The most connections at a time. Further ones wait in the backlog.
    ///   - body: The work for a connection, which is closed when `body` returns. The operations of
    ///     the connection have one cancellation scope.
    /// - Throws: `Errno.canceled` when the task is canceled or the executor is being shut down, or
    ///   the error of the listener; in any case after the last connection has ended. Canceling the
    ///   task cancels the connections too; a shutdown gives them until its deadline.
    public func serve(
        limit: Int = 10_000,
        _ body: @escaping @Sendable (borrowing AsyncTCPStream) async -> Void
    ) async throws(Errno) {
        let executor = registration.executor
        try await serveConnections(limit: limit, on: { executor }, of: [executor], body) {
            executor async throws(Errno) in try await accept(on: executor)
        }
    }

    /// Serves connections like ``serve(limit:_:)``, on several executors.
    ///
    /// Each connection goes to the executor that has the fewest at the time, and stays
    /// there.
    ///
    /// - Parameters:
    ///   - executors: The executors of the connections.
    ///   - limit: The most connections at a time, of all the executors together.
    ///   - body: Same as for ``serve(limit:_:)``.
    /// - Throws: Same as ``serve(limit:_:)``.
    public func serve(
        on executors: PollExecutors,
        limit: Int = 10_000,
        _ body: @escaping @Sendable (borrowing AsyncTCPStream) async -> Void
    ) async throws(Errno) {
        try await serveConnections(
            limit: limit,
            on: executors.next,
            of: executors.executors,
            body
        ) { executor async throws(Errno) in
            try await accept(on: executor)
        }
    }

    /// Serves connections like ``serve(limit:_:)``, each of which `body` owns.
    ///
    /// For a `body` that splits the connection, so that one task reads while another writes.
    /// The connection has no cancellation scope: each wait sets up a handler of its own, except in
    /// ``AsyncSource/withCancellation(_:)``.
    ///
    /// - Parameters:
    ///   - limit: The most connections at a time. A place becomes free when `body` returns.
    ///   - body: The work for a connection, which it owns.
    /// - Throws: Same as ``serve(limit:_:)``.
    public func serveOwned(
        limit: Int = 10_000,
        _ body: @escaping @Sendable (consuming AsyncTCPStream) async -> Void
    ) async throws(Errno) {
        let executor = registration.executor
        try await serveOwned(limit: limit, on: { executor }, body)
    }

    /// Serves connections like ``serveOwned(limit:_:)``, on several executors.
    ///
    /// - Parameters:
    ///   - executors: Same as for ``serve(on:limit:_:)``.
    ///   - limit: Same as for ``serve(on:limit:_:)``.
    ///   - body: Same as for ``serveOwned(limit:_:)``.
    /// - Throws: Same as ``serve(limit:_:)``.
    public func serveOwned(
        on executors: PollExecutors,
        limit: Int = 10_000,
        _ body: @escaping @Sendable (consuming AsyncTCPStream) async -> Void
    ) async throws(Errno) {
        try await serveOwned(limit: limit, on: executors.next, body)
    }

    private func serveOwned(
        limit: Int,
        on nextExecutor: () -> PollExecutor,
        _ body: @escaping @Sendable (consuming AsyncTCPStream) async -> Void
    ) async throws(Errno) {
        try await serveOwnedConnections(limit: limit, on: nextExecutor, body) {
            executor async throws(Errno) in try await accept(on: executor)
        }
    }

    /// Removes the socket from its executor, and returns it open.
    public consuming func release() -> TCPListener {
        handle.deregister()
        return socket
    }
}
