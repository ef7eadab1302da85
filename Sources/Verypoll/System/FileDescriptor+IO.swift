internal import Glibc
internal import SystemPackage

extension FileDescriptor {
    /// read(2) into the free capacity of `buffer`; `nil` if it would block, 0 at end of file.
    func readAvailable(into buffer: inout OutputSpan<UInt8>) throws(Errno) -> Int? {
        // Reading no bytes gives 0 as well, and would pass for the end of file.
        precondition(buffer.freeCapacity > 0, "no room to read into")
        return try unsafe buffer.withUnsafeMutableBufferPointer { bytes, count throws(Errno) in
            let room = unsafe UnsafeMutableBufferPointer(rebasing: bytes[count...])
            let received = try readySyscall {
                unsafe Glibc.read(rawValue, room.baseAddress, room.count)
            }
            count += received ?? 0
            return received
        }
    }

    /// send(2) without `SIGPIPE`; `nil` if it would block.
    func send(_ bytes: Span<UInt8>) throws(Errno) -> Int? {
        try unsafe bytes.withUnsafeBufferPointer { buffer throws(Errno) in
            try readySyscall {
                unsafe Glibc.send(rawValue, buffer.baseAddress, buffer.count, CInt(MSG_NOSIGNAL))
            }
        }
    }
}
