#if Net
internal import CVerypoll
internal import SystemPackage

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// Descriptors and sender credentials received with the bytes of a Unix-domain socket.
///
/// Create one and reuse it: its storage is allocated once. Descriptors that you do not take out of
/// it are closed by the next receive or at the end of its scope.
///
/// ```swift
/// let pair = try UnixStream.pair()
/// _ = try pair.first.send([1].span, passing: [.standardError])
///
/// var ancillary = AncillaryData()
/// var bytes: [UInt8] = []
/// try bytes.append(addingCapacity: 16) { buffer in
///     _ = try pair.second.receive(into: &buffer, ancillary: &ancillary)
/// }
/// if let descriptor = ancillary.takeDescriptor() {
///     print("got \(descriptor.fileDescriptor) with \(bytes.count) bytes")
/// }
/// ```
public struct AncillaryData: ~Copyable, Sendable {
    var room: [UInt8]
    var passed = ControlMessages.Passed()
    private var taken = 0

    /// Whether control messages, usually descriptors, were lost because they exceeded the capacity.
    ///
    /// The kernel closed the descriptors that did not fit.
    public internal(set) var isTruncated = false

    /// The sender's credentials, if ``UnixSocket/setReceivesCredentials(_:)`` is on.
    ///
    /// `nil` at end of file.
    public var credentials: PeerCredentials? { passed.credentials }

    /// The number of received descriptors that were not taken.
    public var descriptorCount: Int { passed.descriptors.count - taken }

    /// Allocates storage for credentials and for up to `descriptorCapacity` descriptors per
    /// receive.
    ///
    /// Traps unless `descriptorCapacity` is from 0 to 253.
    public init(descriptorCapacity: Int = 253) {
        let limit = ControlMessages.descriptorLimit
        precondition((0...limit).contains(descriptorCapacity), "descriptor capacity out of range")
        let count = ControlMessages.capacity(forDescriptors: descriptorCapacity)
        room = Array(repeating: 0, count: count)
        passed.descriptors.reserveCapacity(descriptorCapacity)
    }

    deinit {
        for descriptor in passed.descriptors[taken...] { _ = cverypoll_close(descriptor) }
    }

    /// Removes and returns the next descriptor, in the order in which they were passed.
    ///
    /// The descriptor is close-on-exec, and the caller owns it.
    ///
    /// - Returns: `nil` if none is left.
    public mutating func takeDescriptor() -> OwnedFD? {
        guard taken < passed.descriptors.count else { return nil }
        taken += 1
        return OwnedFD(rawValue: passed.descriptors[taken - 1])
    }

    /// Closes the descriptors that were not taken, and removes everything else.
    public mutating func removeAll() {
        while takeDescriptor() != nil {}
        passed.descriptors.removeAll(keepingCapacity: true)
        passed.credentials = nil
        passed.isMalformed = false
        taken = 0
        isTruncated = false
    }
}

extension FileDescriptor {
    /// sendmsg(2) with control messages and without `SIGPIPE`; `nil` if it would block.
    func send(
        _ bytes: Span<UInt8>,
        to address: KernelAddress?,
        control: [UInt8]
    ) throws(Errno) -> Int? {
        try unsafe bytes.withVectorPart { part throws(Errno) in
            try unsafe control.span.withUnsafeBufferPointer { control throws(Errno) in
                // The header's pointers are mutable, but sendmsg(2) only reads through them.
                let control = unsafe UnsafeMutableBufferPointer(mutating: control)
                return try unsafe withMessage(part, control) { message throws(Errno) in
                    try readySyscall(writing: rawValue, count: bytes.count) {
                        unsafe send(&message, to: address)
                    }
                }
            }
        }
    }

    private func send(_ message: inout msghdr, to address: KernelAddress?) -> Int {
        guard let address else { return unsafe sendmsg(rawValue, &message, noSignal) }
        return unsafe address.withPointer { pointer, length in
            unsafe message.msg_name = UnsafeMutableRawPointer(mutating: pointer)
            unsafe message.msg_namelen = length
            return unsafe sendmsg(rawValue, &message, noSignal)
        }
    }

    /// recvmsg(2); returns the number of bytes (for a datagram, its length), or `nil` if it would
    /// block.
    ///
    /// A peek consumes nothing.
    func receive(
        into buffer: inout OutputSpan<UInt8>,
        ancillary: inout AncillaryData,
        isPeeking: Bool = false
    ) throws(Errno) -> Int? {
        try unsafe buffer.withUnsafeMutableBufferPointer { bytes, count throws(Errno) in
            let room = bytes.count - count
            let free = unsafe bytes.baseAddress.map { unsafe $0 + count }
            let part = unsafe iovec(iov_base: free, iov_len: room)
            let received = try unsafe receive(part, &ancillary, isPeeking: isPeeking)
            count += min(received ?? 0, room)
            return received
        }
    }

    /// recvmsg(2) over the start of `buffer`; otherwise the same.
    func receive(
        into buffer: inout MutableSpan<UInt8>,
        ancillary: inout AncillaryData
    ) throws(Errno) -> Int? {
        try unsafe buffer.withUnsafeMutableBufferPointer { bytes throws(Errno) in
            let part = unsafe iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
            return try unsafe receive(part, &ancillary, isPeeking: false)
        }
    }

    private func receive(
        _ part: iovec,
        _ ancillary: inout AncillaryData,
        isPeeking: Bool
    ) throws(Errno) -> Int? {
        ancillary.removeAll()
        let peek = isPeeking ? CInt(MSG_PEEK) : 0
        let flags = CInt(MSG_TRUNC) | CInt(MSG_CMSG_CLOEXEC) | peek
        let received = try unsafe ancillary.fill(part) { message throws(Errno) in
            // A receive stops at passed descriptors, so a short one does not mean drained.
            try readySyscall(reading: rawValue) { unsafe recvmsg(rawValue, &message, flags) }
        }
        // At end of file, the kernel reports the user and the process 0.
        if received == 0, ancillary.credentials != nil, isStreamSocket {
            ancillary.passed.credentials = nil
        }
        return received
    }
}

extension AncillaryData {
    /// Passes the storage for control messages to a recvmsg(2), and parses the received messages.
    fileprivate mutating func fill(
        _ part: iovec,
        _ body: (inout msghdr) throws(Errno) -> Int?
    ) throws(Errno) -> Int? {
        var span = room.mutableSpan
        let (received, length, flags) = try unsafe span.withUnsafeMutableBufferPointer {
            control throws(Errno) in
            try unsafe withMessage(part, control) { message throws(Errno) in
                let received = try unsafe body(&message)
                return unsafe (received, message.msg_controllen, message.msg_flags)
            }
        }
        guard received != nil else { return nil }
        var passed = ControlMessages.Passed()
        swap(&passed, &self.passed)
        ControlMessages.parse(room.span.extracting(first: length), into: &passed)
        self.passed = passed
        isTruncated = flags & CInt(MSG_CTRUNC) != 0 || passed.isMalformed
        return received
    }
}

/// Passes to `body` the header of a message with one part and control messages.
private func withMessage<Value>(
    _ part: iovec,
    _ control: UnsafeMutableBufferPointer<UInt8>,
    _ body: (inout msghdr) throws(Errno) -> Value
) throws(Errno) -> Value {
    var part = unsafe part
    return try unsafe withUnsafeMutablePointer(to: &part) { part throws(Errno) in
        var message = unsafe msghdr()
        unsafe message.msg_iov = part
        unsafe message.msg_iovlen = 1
        unsafe message.msg_control = UnsafeMutableRawPointer(control.baseAddress)
        unsafe message.msg_controllen = control.count
        return try unsafe body(&message)
    }
}
#endif
