public import SystemPackage
public import Verypoll

/// A TCP connection of a ``PollExecutor``, closed when it goes out of scope.
public struct AsyncTCPStream: ~Copyable, AsyncByteReader, AsyncByteWriter {
    /// The socket, for its options and addresses, and for calls that do not wait.
    ///
    /// After a call that returned `nil`, wait with ``AsyncSource/readable(until:)`` or
    /// ``AsyncSource/writable(until:)``.
    public let socket: TCPStream
    private let registration: Registration

    public var handle: SourceHandle { registration.handle }

    /// Adds a socket to an executor.
    ///
    /// - Throws: `Errno.tooManyOpenFiles` if the executor is at its limit of sources. The socket
    ///   is closed then.
    public init(_ socket: consuming TCPStream, on executor: PollExecutor) throws(Errno) {
        registration = try Registration(
            socket,
            .tcpStream,
            interest: [.readable, .priority],
            on: executor
        )
        self.socket = socket
    }

    /// Copies bytes from the peer into `buffer` without consuming them.
    ///
    /// A second peek does not wait for more bytes than the first one found.
    ///
    /// - Parameters:
    ///   - buffer: The buffer to overwrite from the start. Traps if it is empty.
    ///   - deadline: When to stop waiting.
    /// - Returns: The number of bytes copied, or 0 at end of file.
    /// - Throws: Same as ``AsyncByteReader/read(into:until:)-(MutableSpan<UInt8>,_)``.
    public func peek(
        into buffer: consuming MutableSpan<UInt8>,
        until deadline: Deadline = .never
    ) async throws(Errno) -> Int {
        try await handle.perform(.read, until: deadline) { () throws(Errno) in
            try socket.fileDescriptor.receive(into: &buffer, peeks: true)
        }
    }

    /// Shuts down one or both directions of the connection; see shutdown(2).
    ///
    /// - Throws: `Errno.socketNotConnected` if the connection is gone.
    public func shutdown(_ direction: ShutdownDirection) throws(Errno) {
        try socket.shutdown(direction)
    }

    /// Removes the socket from its executor, and returns it open.
    public consuming func release() -> TCPStream {
        handle.deregister()
        return socket
    }

    /// Divides the connection into a half that reads and a half that writes, for two tasks.
    ///
    /// The socket is closed when both halves are gone.
    public consuming func split() -> AsyncStreamHalves {
        AsyncStreamHalves(SharedStream(registration, socket.release()))
    }
}
