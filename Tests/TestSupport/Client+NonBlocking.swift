internal import Glibc
package import SystemPackage

extension Client {
    /// Sends as many of `bytes` as fit without blocking, and returns their number, or nil if none
    /// fit.
    package func sendNow(_ bytes: ArraySlice<UInt8>) throws(Errno) -> Int? {
        let count = unsafe bytes.withUnsafeBytes { buffer in
            unsafe Glibc.send(
                descriptor.rawValue,
                buffer.baseAddress,
                buffer.count,
                CInt(MSG_NOSIGNAL | MSG_DONTWAIT)
            )
        }
        if count >= 0 { return count }
        if errno == EAGAIN { return nil }
        throw Errno(rawValue: errno)
    }

    /// Returns the bytes that can be read without blocking, none at end of file, or nil if there is
    /// nothing to read.
    package func receiveNow(atMost limit: Int = 65_536) throws(Errno) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: limit)
        let count = unsafe buffer.withUnsafeMutableBytes { bytes in
            unsafe recv(descriptor.rawValue, bytes.baseAddress, bytes.count, CInt(MSG_DONTWAIT))
        }
        if count >= 0 { return Array(buffer.prefix(count)) }
        if errno == EAGAIN { return nil }
        throw Errno(rawValue: errno)
    }
}
