public import SystemPackage
public import Verypoll

/// A Unix-domain stream connection of a ``PollExecutor``, closed when it goes out of scope.
public struct AsyncUnixStream: ~Copyable, AsyncByteReader, AsyncByteWriter {
    /// The socket, for its options and addresses, and for calls that do not wait.
    ///
    /// After a call that returned `nil`, wait with ``AsyncSource/readable(until:)`` or
    /// ``AsyncSource/writable(until:)``.
    public let socket: UnixStream
    private let registration: Registration

    public var handle: SourceHandle { registration.handle }

    /// Adds a socket to an executor.
    ///
    /// - Throws: `Errno.tooManyOpenFiles` if the executor is at its limit of sources. The socket
    ///   is closed then.
    public init(_ socket: consuming UnixStream, on executor: PollExecutor) throws(Errno) {
        registration = try Registration(socket, on: executor)
        self.socket = socket
    }

    /// Creates two sockets that are connected to each other; see socketpair(2).
    ///
    /// - Parameter executor: The executor of both.
    /// - Returns: The sockets.
    /// - Throws: `Errno.tooManyOpenFiles` at the limit of the process or of the executor.
    public static func pair(on executor: PollExecutor) throws(Errno) -> Pair {
        let pair = try UnixStream.pair()
        return try Pair(pair, on: executor)
    }

    /// Two connected sockets.
    ///
    /// A struct, because tuples cannot hold noncopyable values.
    @frozen public struct Pair: ~Copyable, Sendable {
        /// One end.
        public let first: AsyncUnixStream
        /// The other end.
        public let second: AsyncUnixStream

        init(_ pair: consuming UnixStream.Pair, on executor: PollExecutor) throws(Errno) {
            let first = try AsyncUnixStream(pair.first, on: executor)
            let second = try AsyncUnixStream(pair.second, on: executor)
            self.first = first
            self.second = second
        }
    }

    /// Connects to a listening socket.
    ///
    /// While the listener's backlog is full, this tries again after 1 ms, then after twice as long
    /// each time, up to 100 ms: no event reports room in a backlog.
    ///
    /// - Parameters:
    ///   - address: The address of the listener.
    ///   - executor: The executor of the connection.
    ///   - deadline: When to stop trying.
    /// - Returns: The connection.
    /// - Throws: `Errno.connectionRefused` if no socket listens at the address,
    ///   `Errno.noSuchFileOrDirectory` if the file does not exist, `Errno.canceled`,
    ///   `Errno.deadlineExceeded`. See connect(2) and unix(7).
    public static func connect(
        to address: UnixAddress,
        on executor: PollExecutor,
        until deadline: Deadline = .never
    ) async throws(Errno) -> AsyncUnixStream {
        var pause = RetryPause(until: deadline)
        while true {
            do throws(Errno) {
                return try AsyncUnixStream(UnixStream(connectingTo: address), on: executor)
            } catch .resourceTemporarilyUnavailable {
                try await pause.wait(on: executor)
            }
        }
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

    /// Sends bytes and, with the first of them, descriptors and credentials.
    ///
    /// - Parameters:
    ///   - bytes: The bytes to send, at least one if descriptors are passed.
    ///   - descriptors: At most 253 open descriptors, of which the receiver gets duplicates.
    ///   - credentials: The sender's credentials, or `nil` for the real ones.
    ///   - deadline: When to stop waiting for room.
    /// - Returns: The number of bytes accepted, at least one. Send the rest without descriptors.
    /// - Throws: `Errno.canceled`, `Errno.deadlineExceeded`, or an error of
    ///   `UnixSocket.send(_:passing:credentials:)`.
    public func send(
        _ bytes: Span<UInt8>,
        passing descriptors: [FileDescriptor],
        credentials: PeerCredentials? = nil,
        until deadline: Deadline = .never
    ) async throws(Errno) -> Int {
        try await handle.perform(.write, until: deadline) { () throws(Errno) in
            try socket.send(bytes, passing: descriptors, credentials: credentials)
        }
    }

    /// Receives bytes, and the descriptors and credentials sent with them.
    ///
    /// - Parameters:
    ///   - buffer: The buffer to overwrite from the start. Traps if it is empty.
    ///   - ancillary: The storage for descriptors and credentials. Descriptors left in it from an
    ///     earlier call are closed first.
    ///   - deadline: When to stop waiting.
    /// - Returns: The number of bytes received, or 0 at end of file.
    /// - Throws: Same as ``AsyncByteReader/read(into:until:)-(MutableSpan<UInt8>,_)``.
    public func receive(
        into buffer: consuming MutableSpan<UInt8>,
        ancillary: inout AncillaryData,
        until deadline: Deadline = .never
    ) async throws(Errno) -> Int {
        try await handle.perform(.read, until: deadline) { () throws(Errno) in
            try socket.receive(overwriting: &buffer, ancillary: &ancillary)
        }
    }

    /// Shuts down one or both directions of the connection; see shutdown(2).
    ///
    /// - Throws: `Errno.socketNotConnected` if the connection is gone.
    public func shutdown(_ direction: ShutdownDirection) throws(Errno) {
        try socket.shutdown(direction)
    }

    /// Removes the socket from its executor, and returns it open.
    public consuming func release() -> UnixStream {
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
