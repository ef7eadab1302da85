internal import Glibc
package import SystemPackage

/// The test's end of a connection: a plain blocking stream socket, independent of the library.
///
/// Every call throws `Errno.resourceTemporarilyUnavailable` when its timeout passes.
package struct Client: ~Copyable, Sendable {
    package let descriptor: FileDescriptor

    /// Connects to a TCP port of 127.0.0.1.
    package init(port: UInt16, timeout: Duration = patience) throws(Errno) {
        let descriptor = try makeSocket(AF_INET, type: SOCK_STREAM)
        try self.init(adopting: descriptor, timeout: timeout) { () throws(Errno) in
            unsafe try check(
                withLoopback(port: port) { unsafe connect(descriptor.rawValue, $0, $1) }
            )
        }
    }

    /// Connects to a Unix-domain socket in the file system.
    package init(path: String, timeout: Duration = patience) throws(Errno) {
        let descriptor = try makeSocket(AF_UNIX, type: SOCK_STREAM)
        try self.init(adopting: descriptor, timeout: timeout) { () throws(Errno) in
            unsafe try check(withUnixPath(path) { unsafe connect(descriptor.rawValue, $0, $1) })
        }
    }

    /// Takes ownership of a descriptor, and closes it if its options cannot be set.
    init(
        adopting descriptor: FileDescriptor,
        timeout: Duration,
        connecting: () throws(Errno) -> Void = {}
    ) throws(Errno) {
        do {
            var time = timeval(tv_sec: Int(timeout.components.seconds), tv_usec: 0)
            let size = socklen_t(MemoryLayout<timeval>.size)
            for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
                try check(
                    unsafe setsockopt(descriptor.rawValue, SOL_SOCKET, option, &time, size)
                )
            }
            try connecting()
        } catch {
            try? descriptor.close()
            throw error
        }
        self.descriptor = descriptor
    }

    deinit {
        try? descriptor.close()
    }

    /// Sends all of `bytes`.
    ///
    /// - Throws: See send(2); no `SIGPIPE` is raised.
    package func send(_ bytes: some Sequence<UInt8>) throws(Errno) {
        let bytes = Array(bytes)
        var sent = 0
        while sent < bytes.count {
            sent += try sendSome(bytes[sent...])
        }
    }

    /// Sends the text as UTF-8.
    package func send(_ text: String) throws(Errno) {
        try send(text.utf8)
    }

    /// Sends as many of `bytes` as the kernel accepts in one call, and returns their number.
    package func sendSome(_ bytes: ArraySlice<UInt8>) throws(Errno) -> Int {
        let count = unsafe bytes.withUnsafeBytes { buffer in
            unsafe Glibc.send(
                descriptor.rawValue,
                buffer.baseAddress,
                buffer.count,
                CInt(MSG_NOSIGNAL)
            )
        }
        if count < 0 { throw Errno(rawValue: errno) }
        return count
    }

    /// Waits for bytes and returns at most `limit` of them; none at end of file.
    package func receive(atMost limit: Int = 65_536) throws(Errno) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: limit)
        let count = unsafe buffer.withUnsafeMutableBytes { bytes in
            unsafe recv(descriptor.rawValue, bytes.baseAddress, bytes.count, 0)
        }
        if count < 0 { throw Errno(rawValue: errno) }
        return Array(buffer.prefix(count))
    }

    /// Waits for `count` bytes and returns them, or fewer if the peer ends first.
    package func receive(exactly count: Int) throws(Errno) -> [UInt8] {
        var received: [UInt8] = []
        while received.count < count {
            let bytes = try receive(atMost: min(count - received.count, 1 << 20))
            if bytes.isEmpty { break }
            received += bytes
        }
        return received
    }

    /// Waits for end of file and returns everything received before it.
    package func receiveToEnd() throws(Errno) -> [UInt8] {
        try receive(exactly: .max)
    }

    /// Shuts down writing; the peer reads end of file and may still write.
    package func finishSending() throws(Errno) {
        try check(shutdown(descriptor.rawValue, Int32(SHUT_WR)))
    }

    /// Closes with a reset instead of an orderly shutdown.
    package consuming func reset() throws(Errno) {
        var lingering = linger(l_onoff: 1, l_linger: 0)
        let size = socklen_t(MemoryLayout<linger>.size)
        try check(
            unsafe setsockopt(descriptor.rawValue, SOL_SOCKET, SO_LINGER, &lingering, size)
        )
    }
}
