#if OSExt
public import SystemPackage

/// The two ends of a new pipe, both non-blocking and close-on-exec; see pipe(7).
///
/// ```swift
/// let pipe = try Pipe()
/// _ = try pipe.sender.write([1, 2, 3].span)
/// var bytes: [UInt8] = []
/// try bytes.append(addingCapacity: 16) { _ = try pipe.receiver.read(into: &$0) }
/// ```
@frozen public struct Pipe: ~Copyable, Sendable {
    /// The end that is written to.
    public let sender: Sender

    /// The end that is read from.
    public let receiver: Receiver

    /// Makes a pipe.
    ///
    /// - Throws: `Errno.tooManyOpenFiles` if out of descriptors. See pipe2(2).
    public init() throws(Errno) {
        let (receiver, sender) = try OwnedFD.pipe()
        self.sender = Sender(OwnedFD(rawValue: sender))
        self.receiver = Receiver(OwnedFD(rawValue: receiver))
    }

    /// The end of a pipe or FIFO that is written to, closed when it goes out of scope.
    public struct Sender: ~Copyable, Sendable, DescriptorSource {
        private let pipe: OwnedFD

        /// The pipe's descriptor.
        public var fileDescriptor: FileDescriptor { pipe.fileDescriptor }

        init(_ pipe: consuming OwnedFD) {
            self.pipe = pipe
        }

        /// Takes over the writing end of a pipe or FIFO, as that to a child's standard input, and
        /// makes it non-blocking and close-on-exec.
        ///
        /// - Throws: `Errno.invalidArgument` if it is no pipe, `Errno.badFileDescriptor` if it is
        ///   the reading end. The descriptor is closed then.
        public init(adopting pipe: consuming OwnedFD) throws(Errno) {
            try pipe.adoptPipe(forReading: false)
            self.pipe = pipe
        }

        /// Hands bytes to the kernel.
        ///
        /// - Returns: The number of bytes taken, possibly fewer than given, or `nil` if there is no
        ///   room yet. Up to 4096 bytes are taken whole or not at all.
        /// - Throws: `Errno.brokenPipe` if nobody reads any more, without `SIGPIPE`. See write(2).
        public func write(_ bytes: Span<UInt8>) throws(Errno) -> Int? {
            try write(bytes, Span())
        }

        /// Hands several runs of bytes to the kernel in one call.
        ///
        /// - Parameters:
        ///   - first: What goes first.
        ///   - second: What follows.
        ///   - third: What follows that, if anything.
        ///   - fourth: What goes last, if anything.
        /// - Returns: The number of bytes taken of all together; as ``write(_:)``.
        /// - Throws: As ``write(_:)``. See writev(2).
        public func write(
            _ first: Span<UInt8>,
            _ second: Span<UInt8>,
            _ third: Span<UInt8> = Span(),
            _ fourth: Span<UInt8> = Span()
        ) throws(Errno) -> Int? {
            try fileDescriptor.writeAvailable(first, second, third, fourth)
        }

        /// Lets writes block, or not, for handing the end to a program that expects so.
        ///
        /// It holds for all descriptors of this end, whoever has them; see `O_NONBLOCK` in
        /// fcntl(2).
        public func setNonBlocking(_ isOn: Bool) throws(Errno) {
            try pipe.setNonBlocking(isOn)
        }

        /// Gives the end up without closing it.
        public consuming func release() -> OwnedFD { pipe }
    }

    /// The end of a pipe or FIFO that is read from, closed when it goes out of scope.
    public struct Receiver: ~Copyable, Sendable, DescriptorSource {
        private let pipe: OwnedFD

        /// The pipe's descriptor.
        public var fileDescriptor: FileDescriptor { pipe.fileDescriptor }

        init(_ pipe: consuming OwnedFD) {
            self.pipe = pipe
        }

        /// Takes over the reading end of a pipe or FIFO, as that of a child's standard output, and
        /// makes it non-blocking and close-on-exec.
        ///
        /// - Throws: `Errno.invalidArgument` if it is no pipe, `Errno.badFileDescriptor` if it is
        ///   the writing end. The descriptor is closed then.
        public init(adopting pipe: consuming OwnedFD) throws(Errno) {
            try pipe.adoptPipe(forReading: true)
            self.pipe = pipe
        }

        /// Appends bytes to `buffer`, at most its free capacity.
        ///
        /// - Parameter buffer: Where to; one without room is a programmer's error and traps.
        /// - Returns: The number of bytes that came, 0 when all senders are gone, or `nil` if none
        ///   are there yet.
        /// - Throws: See read(2).
        public func read(into buffer: inout OutputSpan<UInt8>) throws(Errno) -> Int? {
            try fileDescriptor.readAvailable(into: &buffer)
        }

        /// Puts bytes at the start of `buffer`, in place of those that are there.
        ///
        /// - Parameter buffer: Where to; an empty one is a programmer's error and traps.
        /// - Returns: As `read(into:)`.
        /// - Throws: See read(2).
        public func read(into buffer: consuming MutableSpan<UInt8>) throws(Errno) -> Int? {
            try fileDescriptor.readAvailable(into: &buffer)
        }

        /// Appends bytes to `first`, and to `second` once that is full.
        ///
        /// - Parameters:
        ///   - first: Where to; both without room is a programmer's error and traps.
        ///   - second: Where the rest goes.
        /// - Returns: The number of bytes that came in all; as `read(into:)`.
        /// - Throws: See readv(2).
        public func read(
            into first: inout OutputSpan<UInt8>,
            _ second: inout OutputSpan<UInt8>
        ) throws(Errno) -> Int? {
            try fileDescriptor.readAvailable(into: &first, &second)
        }

        /// Lets reads block, or not; as ``Sender/setNonBlocking(_:)``.
        public func setNonBlocking(_ isOn: Bool) throws(Errno) {
            try pipe.setNonBlocking(isOn)
        }

        /// Gives the end up without closing it.
        public consuming func release() -> OwnedFD { pipe }
    }
}
#endif
