internal import CVerypoll
internal import Synchronization
package import SystemPackage

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

extension FileDescriptor {
    /// read(2) into the free capacity of `buffer`; `nil` if it would block, 0 at end of file.
    package func readAvailable(into buffer: inout OutputSpan<UInt8>) throws(Errno) -> Int? {
        try unsafe buffer.fill { base, room throws(Errno) in
            try readySyscall(reading: rawValue, room: room) {
                unsafe libcRead(rawValue, base, room)
            }
        }
    }

    /// read(2) over the start of `buffer`; `nil` if it would block, 0 at end of file.
    package func readAvailable(into buffer: inout MutableSpan<UInt8>) throws(Errno) -> Int? {
        precondition(!buffer.isEmpty, "the buffer is empty")
        return try unsafe buffer.withUnsafeMutableBufferPointer { bytes throws(Errno) in
            try readySyscall(reading: rawValue, room: bytes.count) {
                unsafe libcRead(rawValue, bytes.baseAddress, bytes.count)
            }
        }
    }

    /// readv(2) into the free capacity of two buffers, `first` before `second`.
    func readAvailable(
        into first: inout OutputSpan<UInt8>,
        _ second: inout OutputSpan<UInt8>
    ) throws(Errno) -> Int? {
        let freeCapacity = first.freeCapacity + second.freeCapacity
        precondition(freeCapacity > 0, "the buffer has no free capacity")
        return try unsafe first.withUnsafeMutableBufferPointer { head, headCount throws(Errno) in
            try unsafe second.withUnsafeMutableBufferPointer { tail, tailCount throws(Errno) in
                let room = head.count - headCount
                let headEnd = unsafe head.baseAddress.map { unsafe $0 + headCount }
                let tailEnd = unsafe tail.baseAddress.map { unsafe $0 + tailCount }
                let parts: [2 of iovec] = unsafe [
                    iovec(iov_base: headEnd, iov_len: room),
                    iovec(iov_base: tailEnd, iov_len: tail.count - tailCount),
                ]
                let received = try unsafe parts.span.withUnsafeBufferPointer { list throws(Errno) in
                    try readySyscall(reading: rawValue, room: freeCapacity) {
                        unsafe readv(rawValue, list.baseAddress, 2)
                    }
                }
                guard let received else { return nil }
                headCount += min(received, room)
                tailCount += max(received - room, 0)
                return received
            }
        }
    }

    /// writev(2) without `SIGPIPE`; `nil` if it would block.
    ///
    /// Pipes do not support `MSG_NOSIGNAL`.
    package func writeAvailable(
        _ first: Span<UInt8>,
        _ second: Span<UInt8>,
        _ third: Span<UInt8>,
        _ fourth: Span<UInt8>
    ) throws(Errno) -> Int? {
        try unsafe withVector(first, second, third, fourth) { parts throws(Errno) in
            let base = parts.baseAddress
            let count = CInt(parts.count)
            let byteCount = first.count + second.count + third.count + fourth.count
            if !lacksNoSignal.load(ordering: .relaxed) {
                do throws(Errno) {
                    return try readySyscall(writing: rawValue, count: byteCount) {
                        unsafe pwritev2(rawValue, base, count, -1, cverypoll_nosignal)
                    }
                } catch .notSupported {
                    lacksNoSignal.store(true, ordering: .relaxed)
                }
            }
            return try readySyscall(writing: rawValue, count: byteCount) {
                unsafe cverypoll_writev_masked(rawValue, base, count)
            }
        }
    }
}

/// Set once a call has shown that the kernel lacks `RWF_NOSIGNAL`, added in Linux 6.18.
private let lacksNoSignal = Atomic(false)

extension OutputSpan<UInt8> {
    /// Passes the free capacity to `body`, which returns the number of bytes it stored.
    @inline(__always)
    mutating func fill(
        _ body: (UnsafeMutablePointer<UInt8>?, Int) throws(Errno) -> Int?
    ) throws(Errno) -> Int? {
        // Without free capacity, a read returns 0, which would look like end of file.
        precondition(freeCapacity > 0, "the buffer has no free capacity")
        return try unsafe withUnsafeMutableBufferPointer { bytes, count throws(Errno) in
            let free = unsafe bytes.baseAddress.map { unsafe $0 + count }
            let received = try unsafe body(free, bytes.count - count)
            count += received ?? 0
            return received
        }
    }
}

/// Passes four spans to `body` as the vector of a gathering write.
///
/// Empty spans add nothing.
func withVector<Value>(
    _ first: Span<UInt8>,
    _ second: Span<UInt8>,
    _ third: Span<UInt8>,
    _ fourth: Span<UInt8>,
    _ body: (UnsafeBufferPointer<iovec>) throws(Errno) -> Value
) throws(Errno) -> Value {
    try unsafe first.withVectorPart { first throws(Errno) in
        try unsafe second.withVectorPart { second throws(Errno) in
            try unsafe third.withVectorPart { third throws(Errno) in
                try unsafe fourth.withVectorPart { fourth throws(Errno) in
                    let parts: [4 of iovec] = unsafe [first, second, third, fourth]
                    return try unsafe parts.span.withUnsafeBufferPointer(body)
                }
            }
        }
    }
}

extension Span<UInt8> {
    func withVectorPart<Value>(
        _ body: (iovec) throws(Errno) -> Value
    ) throws(Errno) -> Value {
        try unsafe withUnsafeBufferPointer { bytes throws(Errno) in
            // The field's type is mutable, but the kernel does not write to the bytes.
            let base = unsafe UnsafeMutableRawPointer(mutating: bytes.baseAddress)
            return try unsafe body(iovec(iov_base: base, iov_len: bytes.count))
        }
    }
}
