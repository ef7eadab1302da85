#if OSExt
public import SystemPackage

/// The two ends of a new pipe, both non-blocking and close-on-exec; see pipe(7).
///
/// ```swift
/// let pipe = try UnixPipe()
/// _ = try pipe.sender.write([1, 2, 3].span)
/// var bytes: [UInt8] = []
/// try bytes.append(addingCapacity: 16) { _ = try pipe.receiver.read(into: &$0) }
/// ```
@frozen public struct UnixPipe: ~Copyable, Sendable {
    /// The writing end.
    public let sender: Sender

    /// The reading end.
    public let receiver: Receiver

    /// Creates a pipe.
    ///
    /// - Throws: `Errno.tooManyOpenFiles` if the process is out of descriptors. See pipe2(2).
    public init() throws(Errno) {
        let (receiver, sender) = try OwnedFD.pipe()
        self.sender = Sender(OwnedFD(rawValue: sender))
        self.receiver = Receiver(OwnedFD(rawValue: receiver))
    }

    /// The writing end of a pipe or FIFO, closed when it goes out of scope.
    public struct Sender: ~Copyable, Sendable, DescriptorSource {
        private let pipe: OwnedFD

        /// The pipe's descriptor.
        public var fileDescriptor: FileDescriptor { pipe.fileDescriptor }

        init(_ pipe: consuming OwnedFD) {
            self.pipe = pipe
        }

        /// Takes ownership of the writing end of a pipe or FIFO, such as the pipe to a child's
        /// standard input, and makes it non-blocking and close-on-exec.
        ///
        /// - Throws: `Errno.invalidArgument` if it is not a pipe, `Errno.badFileDescriptor` if it
        ///   is the reading end. On error, the descriptor is closed.
        public init(adopting pipe: consuming OwnedFD) throws(Errno) {
            try pipe.adoptPipe(forReading: false)
            self.pipe = pipe
        }

        /// Writes bytes to the pipe.
        ///
        /// - Returns: The number of bytes accepted, possibly fewer than given, or `nil` if there is
        ///   no room yet. A write of up to 4096 bytes is accepted whole or not at all.
        /// - Throws: `Errno.brokenPipe` if the pipe has no reader; `SIGPIPE` is not raised. See
        ///   write(2).
        public func write(_ bytes: Span<UInt8>) throws(Errno) -> Int? {
            try write(bytes, Span())
        }

        /// Writes several runs of bytes in one call.
        ///
        /// - Parameters:
        ///   - first: The bytes to write first.
        ///   - second: The bytes after `first`.
        ///   - third: The bytes after `second`, if any.
        ///   - fourth: The bytes after `third`, if any.
        /// - Returns: The total number of bytes accepted; otherwise the same as ``write(_:)``.
        /// - Throws: Same as ``write(_:)``. See writev(2).
        public func write(
            _ first: Span<UInt8>,
            _ second: Span<UInt8>,
            _ third: Span<UInt8> = Span(),
            _ fourth: Span<UInt8> = Span()
        ) throws(Errno) -> Int? {
            try fileDescriptor.writeAvailable(first, second, third, fourth)
        }

        /// Turns non-blocking mode on or off.
        ///
        /// Turn it off before you pass the end to a program that expects blocking writes. The mode
        /// applies to every duplicate of the descriptor, in every process; see `O_NONBLOCK` in
        /// fcntl(2).
        public func setNonBlocking(_ isOn: Bool) throws(Errno) {
            try pipe.setNonBlocking(isOn)
        }

        /// Gives up ownership of the descriptor without closing it.
        public consuming func release() -> OwnedFD { pipe }
    }

    /// The reading end of a pipe or FIFO, closed when it goes out of scope.
    public struct Receiver: ~Copyable, Sendable, DescriptorSource {
        private let pipe: OwnedFD

        /// The pipe's descriptor.
        public var fileDescriptor: FileDescriptor { pipe.fileDescriptor }

        init(_ pipe: consuming OwnedFD) {
            self.pipe = pipe
        }

        /// Takes ownership of the reading end of a pipe or FIFO, such as the pipe from a child's
        /// standard output, and makes it non-blocking and close-on-exec.
        ///
        /// - Throws: `Errno.invalidArgument` if it is not a pipe, `Errno.badFileDescriptor` if it
        ///   is the writing end. On error, the descriptor is closed.
        public init(adopting pipe: consuming OwnedFD) throws(Errno) {
            try pipe.adoptPipe(forReading: true)
            self.pipe = pipe
        }

        /// Appends bytes to `buffer`, at most its free capacity.
        ///
        /// - Parameter buffer: The buffer to append to. Traps if it has no free capacity.
        /// - Returns: The number of bytes read, 0 if all senders are closed, or `nil` if none are
        ///   available yet.
        /// - Throws: See read(2).
        public func read(into buffer: inout OutputSpan<UInt8>) throws(Errno) -> Int? {
            try fileDescriptor.readAvailable(into: &buffer)
        }

        /// Reads bytes into `buffer`, overwriting it from the start.
        ///
        /// - Parameter buffer: The buffer to overwrite. Traps if it is empty.
        /// - Returns: Same as `read(into:)`.
        /// - Throws: See read(2).
        public func read(into buffer: consuming MutableSpan<UInt8>) throws(Errno) -> Int? {
            try fileDescriptor.readAvailable(into: &buffer)
        }

        /// Appends bytes to `first`, and to `second` once that is full.
        ///
        /// - Parameters:
        ///   - first: The buffer to fill first. Traps if neither buffer has free capacity.
        ///   - second: The buffer for the rest.
        /// - Returns: The total number of bytes read; otherwise the same as `read(into:)`.
        /// - Throws: See readv(2).
        public func read(
            into first: inout OutputSpan<UInt8>,
            _ second: inout OutputSpan<UInt8>
        ) throws(Errno) -> Int? {
            try fileDescriptor.readAvailable(into: &first, &second)
        }

        /// Turns non-blocking mode on or off, like ``Sender/setNonBlocking(_:)``.
        public func setNonBlocking(_ isOn: Bool) throws(Errno) {
            try pipe.setNonBlocking(isOn)
        }

        /// Gives up ownership of the descriptor without closing it.
        public consuming func release() -> OwnedFD { pipe }
    }
}
#endif
