internal import Glibc
package import SystemPackage

extension Client {
    /// Sends a byte of urgent data; see `MSG_OOB` in send(2).
    package func sendUrgent(_ byte: UInt8) throws(Errno) {
        let count = unsafe withUnsafeBytes(of: byte) { bytes in
            let flags = CInt(MSG_NOSIGNAL) | CInt(MSG_OOB)
            return unsafe Glibc.send(descriptor.rawValue, bytes.baseAddress, 1, flags)
        }
        if count < 0 { throw Errno(rawValue: errno) }
    }

    /// Sets how much the kernel keeps for this end to read, which it doubles.
    package func setReceiveBuffer(_ byteCount: Int32) throws(Errno) {
        var value = byteCount
        let size = socklen_t(MemoryLayout<Int32>.size)
        try check(
            unsafe setsockopt(descriptor.rawValue, SOL_SOCKET, SO_RCVBUF, &value, size)
        )
    }

    /// The bytes that have come and were not read.
    package func unreadByteCount() throws(Errno) -> Int {
        var count: Int32 = 0
        try check(unsafe ioctl(descriptor.rawValue, UInt(FIONREAD), &count))
        return Int(count)
    }

    /// The bytes that were sent, and which the kernel at the other end, or of a Unix-domain socket
    /// the reader there, has not taken yet.
    package func untakenByteCount() throws(Errno) -> Int {
        var count: Int32 = 0
        try check(unsafe ioctl(descriptor.rawValue, UInt(TIOCOUTQ), &count))
        return Int(count)
    }

    /// Waits until all that was sent has been taken from this end.
    package func waitUntilTaken() throws {
        try eventually("all bytes to be taken") { try untakenByteCount() == 0 }
    }

    /// Breaks a TCP connection off with a reset at once, and stays open without one; see the
    /// paragraph on `AF_UNSPEC` in connect(2).
    package func breakOff() throws(Errno) {
        let nowhere = sockaddr(sa_family: sa_family_t(AF_UNSPEC), sa_data: sockaddr().sa_data)
        let size = socklen_t(MemoryLayout<sockaddr>.size)
        try check(
            unsafe withUnsafePointer(to: nowhere) { unsafe connect(descriptor.rawValue, $0, size) }
        )
    }
}
