public import SystemPackage
public import Verypoll

/// A UDP socket of a ``PollExecutor``, closed when it goes out of scope.
public struct AsyncUDPSocket: ~Copyable, AsyncDatagramSocket {
    /// The socket, for its options and addresses, and for calls that do not wait.
    public let socket: UDPSocket
    private let registration: Registration

    public var handle: SourceHandle { registration.handle }

    /// Adds a socket to an executor.
    ///
    /// - Throws: `Errno.tooManyOpenFiles` if the executor is at its limit of sources. The socket
    ///   is closed then.
    public init(_ socket: consuming UDPSocket, on executor: PollExecutor) throws(Errno) {
        registration = try Registration(socket, on: executor)
        self.socket = socket
    }

    /// Binds to `address`.
    ///
    /// - Parameters:
    ///   - address: The address to bind to. Port 0 lets the kernel choose a port.
    ///   - options: The options to set before the socket is bound.
    ///   - executor: The executor of the socket.
    /// - Throws: `Errno.addressInUse` if the port is taken. See bind(2) and udp(7).
    public init(
        binding address: SocketAddress,
        options: UDPSocket.Options = UDPSocket.Options(),
        on executor: PollExecutor
    ) throws(Errno) {
        try self.init(UDPSocket(binding: address, options: options), on: executor)
    }

    /// Receives the next datagram and its sender's address.
    ///
    /// - Parameters:
    ///   - buffer: The buffer to overwrite from the start. Bytes that exceed it are lost.
    ///   - deadline: When to stop waiting.
    /// - Returns: The datagram's length and sender.
    /// - Throws: Same as ``AsyncDatagramSocket/receive(into:until:)``.
    public func receiveFrom(
        into buffer: consuming MutableSpan<UInt8>,
        until deadline: Deadline = .never
    ) async throws(Errno) -> UDPSocket.Received {
        try await handle.perform(.read, until: deadline) { () throws(Errno) in
            try socket.receive(into: &buffer, peeks: false)
        }
    }

    /// Copies the next datagram like ``receiveFrom(into:until:)``, without consuming it.
    public func peekFrom(
        into buffer: consuming MutableSpan<UInt8>,
        until deadline: Deadline = .never
    ) async throws(Errno) -> UDPSocket.Received {
        try await handle.perform(.read, until: deadline) { () throws(Errno) in
            try socket.receive(into: &buffer, peeks: true)
        }
    }

    /// Sends a datagram to an address.
    ///
    /// - Parameters:
    ///   - bytes: The whole datagram. An empty span sends an empty datagram.
    ///   - address: The destination, even if the socket is connected to another address.
    ///   - deadline: When to stop waiting for room.
    /// - Throws: `Errno.canceled`, `Errno.deadlineExceeded`, or an error of
    ///   `UDPSocket.send(_:to:)`.
    public func send(
        _ bytes: Span<UInt8>,
        to address: SocketAddress,
        until deadline: Deadline = .never
    ) async throws(Errno) {
        _ = try await handle.perform(.write, until: deadline) { () throws(Errno) in
            try socket.send(bytes, to: address)
        }
    }

    /// Removes the socket from its executor, and returns it open.
    public consuming func release() -> UDPSocket {
        handle.deregister()
        return socket
    }
}
