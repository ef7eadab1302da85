#if Net
internal import CVerypoll
public import SystemPackage

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

extension FileDescriptor {
    /// recv(2) into the free capacity of `buffer`; `nil` if it would block.
    @usableFromInline
    package func receive(
        into buffer: inout OutputSpan<UInt8>,
        peeks: Bool = false
    ) throws(Errno) -> Int? {
        let flags = peeks ? CInt(MSG_PEEK) : 0
        return try unsafe buffer.fill { base, room throws(Errno) in
            // A peek consumes nothing, so a short peek does not mean drained.
            try readySyscall(reading: rawValue, room: peeks ? 0 : room) {
                unsafe cverypoll_recv(rawValue, base, room, flags)
            }
        }
    }

    /// recv(2) over the start of `buffer`; `nil` if it would block, 0 at end of file.
    @usableFromInline
    package func receive(
        into buffer: inout MutableSpan<UInt8>,
        peeks: Bool = false
    ) throws(Errno) -> Int? {
        precondition(!buffer.isEmpty, "the buffer is empty")
        let flags = peeks ? CInt(MSG_PEEK) : 0
        return try unsafe buffer.withUnsafeMutableBufferPointer { bytes throws(Errno) in
            try readySyscall(reading: rawValue, room: peeks ? 0 : bytes.count) {
                unsafe cverypoll_recv(rawValue, bytes.baseAddress, bytes.count, flags)
            }
        }
    }

    /// send(2) without `SIGPIPE`; `nil` if it would block.
    @usableFromInline
    package func send(_ bytes: Span<UInt8>, holdsBack: Bool = false) throws(Errno) -> Int? {
        let flags = holdsBack ? noSignal | CInt(MSG_MORE) : noSignal
        return try unsafe bytes.withUnsafeBufferPointer { buffer throws(Errno) in
            try readySyscall(writing: rawValue, count: buffer.count) {
                unsafe cverypoll_send(rawValue, buffer.baseAddress, buffer.count, flags)
            }
        }
    }

    /// sendmsg(2) of several parts without `SIGPIPE`; `nil` if it would block.
    package func send(
        _ first: Span<UInt8>,
        _ second: Span<UInt8>,
        _ third: Span<UInt8>,
        _ fourth: Span<UInt8>
    ) throws(Errno) -> Int? {
        try unsafe withVector(first, second, third, fourth) { parts throws(Errno) in
            var message = unsafe msghdr()
            unsafe message.msg_iov = UnsafeMutablePointer(mutating: parts.baseAddress)
            unsafe message.msg_iovlen = parts.count
            let count = first.count + second.count + third.count + fourth.count
            return try readySyscall(writing: rawValue, count: count) {
                unsafe sendmsg(rawValue, &message, noSignal)
            }
        }
    }

    /// shutdown(2).
    package func shutdown(_ direction: ShutdownDirection) throws(Errno) {
        _ = try syscall { libcShutdown(rawValue, direction.rawValue) }
    }
}

let noSignal = CInt(MSG_NOSIGNAL)

extension ShutdownDirection {
    fileprivate var rawValue: CInt {
        switch self {
        case .read: CInt(SHUT_RD)
        case .write: CInt(SHUT_WR)
        case .both: CInt(SHUT_RDWR)
        }
    }
}
#endif
