#if Net
internal import CVerypoll
package import SystemPackage

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

extension FileDescriptor {
    /// recv(2) of one datagram; returns its length, which may exceed the free capacity, or `nil` if
    /// it would block.
    func receiveDatagram(
        into buffer: inout OutputSpan<UInt8>,
        peeks: Bool
    ) throws(Errno) -> Int? {
        try unsafe buffer.fillWithDatagram { base, room throws(Errno) in
            try unsafe receiveDatagram(base, room, peeks: peeks)
        }
    }

    /// recv(2) of one datagram over the start of `buffer`; returns its length, which may exceed
    /// that of `buffer`, or `nil` if it would block.
    package func receiveDatagram(
        into buffer: inout MutableSpan<UInt8>,
        peeks: Bool
    ) throws(Errno) -> Int? {
        try unsafe buffer.withUnsafeMutableBufferPointer { bytes throws(Errno) in
            try unsafe receiveDatagram(bytes.baseAddress, bytes.count, peeks: peeks)
        }
    }

    /// recvfrom(2) of one datagram and its sender; otherwise like `receiveDatagram(into:peeks:)`.
    func receiveDatagram(
        into buffer: inout OutputSpan<UInt8>,
        from sender: inout KernelAddress,
        peeks: Bool
    ) throws(Errno) -> Int? {
        try unsafe buffer.fillWithDatagram { base, room throws(Errno) in
            try unsafe receiveDatagram(base, room, from: &sender, peeks: peeks)
        }
    }

    /// recvfrom(2) of one datagram and its sender; otherwise like `receiveDatagram(into:peeks:)`.
    func receiveDatagram(
        into buffer: inout MutableSpan<UInt8>,
        from sender: inout KernelAddress,
        peeks: Bool
    ) throws(Errno) -> Int? {
        try unsafe buffer.withUnsafeMutableBufferPointer { bytes throws(Errno) in
            try unsafe receiveDatagram(bytes.baseAddress, bytes.count, from: &sender, peeks: peeks)
        }
    }

    private func receiveDatagram(
        _ base: UnsafeMutablePointer<UInt8>?,
        _ room: Int,
        peeks: Bool
    ) throws(Errno) -> Int? {
        try readySyscall(reading: rawValue) {
            unsafe recv(rawValue, base, room, datagramFlags(peeks: peeks))
        }
    }

    private func receiveDatagram(
        _ base: UnsafeMutablePointer<UInt8>?,
        _ room: Int,
        from sender: inout KernelAddress,
        peeks: Bool
    ) throws(Errno) -> Int? {
        try unsafe sender.fill { address, length throws(Errno) in
            try readySyscall(reading: rawValue) {
                unsafe recvfrom(
                    rawValue,
                    base,
                    room,
                    datagramFlags(peeks: peeks),
                    address,
                    length
                )
            }
        }
    }

    /// sendto(2); `nil` if it would block.
    func send(_ bytes: Span<UInt8>, to address: KernelAddress) throws(Errno) -> Int? {
        try unsafe bytes.withUnsafeBufferPointer { buffer throws(Errno) in
            try unsafe address.withPointer { pointer, length throws(Errno) in
                try readySyscall(writing: rawValue, count: buffer.count) {
                    unsafe sendto(
                        rawValue,
                        buffer.baseAddress,
                        buffer.count,
                        noSignal,
                        pointer,
                        length
                    )
                }
            }
        }
    }
}

/// With `MSG_TRUNC`, the kernel returns the full length of a datagram that did not fit.
private func datagramFlags(peeks: Bool) -> CInt {
    CInt(MSG_TRUNC) | (peeks ? CInt(MSG_PEEK) : 0)
}

extension OutputSpan<UInt8> {
    /// Passes the free capacity to `body`, which stores as much of a datagram there as fits.
    fileprivate mutating func fillWithDatagram(
        _ body: (UnsafeMutablePointer<UInt8>?, Int) throws(Errno) -> Int?
    ) throws(Errno) -> Int? {
        try unsafe withUnsafeMutableBufferPointer { bytes, count throws(Errno) in
            let free = unsafe bytes.baseAddress.map { unsafe $0 + count }
            let room = bytes.count - count
            let length = try unsafe body(free, room)
            count += min(length ?? 0, room)
            return length
        }
    }
}
#endif
