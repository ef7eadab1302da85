public import SystemPackage
public import Verypoll

/// A Unix-domain datagram socket of a ``PollExecutor``, closed when it goes out of scope.
///
/// The file at its path remains, and the caller must remove it.
public struct AsyncUnixDatagram: ~Copyable, AsyncDatagramSocket {
    /// The socket, for its options and addresses, and for calls that do not wait.
    public let socket: UnixDatagram
    private let registration: Registration

    public var handle: SourceHandle { registration.handle }

    /// Adds a socket to an executor.
    ///
    /// - Throws: `Errno.tooManyOpenFiles` if the executor is at its limit of sources. The socket
    ///   is closed then.
    public init(_ socket: consuming UnixDatagram, on executor: PollExecutor) throws(Errno) {
        registration = try Registration(socket, on: executor)
        self.socket = socket
    }

    /// Binds to `address`.
    ///
    /// - Parameters:
    ///   - address: A path where no file exists yet, or an abstract name.
    ///   - executor: The executor of the socket.
    /// - Throws: `Errno.addressInUse` if the file exists. See bind(2) and unix(7).
    public init(binding address: UnixAddress, on executor: PollExecutor) throws(Errno) {
        try self.init(UnixDatagram(binding: address), on: executor)
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
    ) async throws(Errno) -> UnixDatagram.Received {
        try await handle.perform(.read, until: deadline) { () throws(Errno) in
            try socket.receive(into: &buffer, peeks: false)
        }
    }

    /// Copies the next datagram like ``receiveFrom(into:until:)``, without consuming it.
    public func peekFrom(
        into buffer: consuming MutableSpan<UInt8>,
        until deadline: Deadline = .never
    ) async throws(Errno) -> UnixDatagram.Received {
        try await handle.perform(.read, until: deadline) { () throws(Errno) in
            try socket.receive(into: &buffer, peeks: true)
        }
    }

    /// Receives the next datagram, and the descriptors and credentials sent with it.
    ///
    /// - Parameters:
    ///   - buffer: The buffer to overwrite from the start. Bytes that exceed it are lost.
    ///   - ancillary: The storage for descriptors and credentials. Descriptors left in it from an
    ///     earlier call are closed first.
    ///   - deadline: When to stop waiting.
    /// - Returns: The datagram's length.
    /// - Throws: Same as ``AsyncDatagramSocket/receive(into:until:)``.
    public func receive(
        into buffer: consuming MutableSpan<UInt8>,
        ancillary: inout AncillaryData,
        until deadline: Deadline = .never
    ) async throws(Errno) -> Int {
        try await handle.perform(.read, until: deadline) { () throws(Errno) in
            try socket.receive(overwriting: &buffer, ancillary: &ancillary)
        }
    }

    /// Sends a datagram, with descriptors and credentials, to the address that the socket is
    /// connected to.
    ///
    /// - Parameters:
    ///   - bytes: The whole datagram.
    ///   - descriptors: At most 253 open descriptors, of which the receiver gets duplicates.
    ///   - credentials: The sender's credentials, or `nil` for the real ones.
    ///   - deadline: When to stop waiting for room.
    /// - Throws: Same as ``AsyncDatagramSocket/send(_:until:)``, or an error of
    ///   `UnixSocket.send(_:passing:credentials:)`.
    public func send(
        _ bytes: Span<UInt8>,
        passing descriptors: [FileDescriptor],
        credentials: PeerCredentials? = nil,
        until deadline: Deadline = .never
    ) async throws(Errno) {
        _ = try await handle.perform(.write, until: deadline) { () throws(Errno) in
            try socket.send(bytes, passing: descriptors, credentials: credentials)
        }
    }

    /// Sends a datagram to an address, with descriptors if there are any.
    ///
    /// While the receiver's queue is full, this tries again after 1 ms, then after twice as long
    /// each time, up to 100 ms: no event reports room in the queue of a receiver that the socket is
    /// not connected to.
    ///
    /// - Parameters:
    ///   - bytes: The whole datagram. An empty span sends an empty datagram.
    ///   - address: The destination.
    ///   - descriptors: At most 253 open descriptors, of which the receiver gets duplicates.
    ///   - deadline: When to stop trying.
    /// - Throws: `Errno.canceled`, `Errno.deadlineExceeded`, or an error of
    ///   `UnixDatagram.send(_:to:)`.
    public func send(
        _ bytes: Span<UInt8>,
        to address: UnixAddress,
        passing descriptors: [FileDescriptor] = [],
        until deadline: Deadline = .never
    ) async throws(Errno) {
        var pause = RetryPause(until: deadline)
        while try socket.send(bytes, to: address, passing: descriptors) == nil {
            try await pause.wait(on: registration.executor)
        }
    }

    /// Removes the socket from its executor, and returns it open.
    public consuming func release() -> UnixDatagram {
        handle.deregister()
        return socket
    }
}
