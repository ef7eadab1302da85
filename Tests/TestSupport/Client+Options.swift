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

    /// Sets the receive buffer size; the kernel doubles the value.
    package func setReceiveBuffer(_ byteCount: Int32) throws(Errno) {
        var value = byteCount
        let size = socklen_t(MemoryLayout<Int32>.size)
        try check(
            unsafe setsockopt(descriptor.rawValue, SOL_SOCKET, SO_RCVBUF, &value, size)
        )
    }

    /// Returns the number of received bytes that have not been read.
    package func unreadByteCount() throws(Errno) -> Int {
        var count: Int32 = 0
        try check(unsafe ioctl(descriptor.rawValue, UInt(FIONREAD), &count))
        return Int(count)
    }

    /// Returns the number of sent bytes that the other end's kernel (for a Unix-domain socket: its
    /// reader) has not yet taken.
    package func untakenByteCount() throws(Errno) -> Int {
        var count: Int32 = 0
        try check(unsafe ioctl(descriptor.rawValue, UInt(TIOCOUTQ), &count))
        return Int(count)
    }

    /// Waits until the other end has taken everything that was sent.
    package func waitUntilTaken() throws {
        try eventually("all bytes to be taken") { try untakenByteCount() == 0 }
    }

    /// Resets a TCP connection at once without closing the socket; see the paragraph on `AF_UNSPEC`
    /// in connect(2).
    package func breakOff() throws(Errno) {
        let nowhere = sockaddr(sa_family: sa_family_t(AF_UNSPEC), sa_data: sockaddr().sa_data)
        let size = socklen_t(MemoryLayout<sockaddr>.size)
        try check(
            unsafe withUnsafePointer(to: nowhere) { unsafe connect(descriptor.rawValue, $0, size) }
        )
    }
}
