internal import Glibc
package import SystemPackage

extension Client {
    /// Connects to an address in the project's notation.
    ///
    /// - Parameters:
    ///   - address: `127.0.0.1:PORT`, `[::1]:PORT`, `unix:/PATH`, `unix:@ABSTRACT` or
    ///     `vsock:1:PORT`.
    ///   - timeout: The longest that a call may block.
    /// - Throws: See connect(2); `Errno.invalidArgument` for any other text.
    package init(address: String, timeout: Duration = patience) throws(Errno) {
        if let path = address.after("unix:@") {
            try self.init(abstractName: path, timeout: timeout)
        } else if let path = address.after("unix:") {
            try self.init(path: path, timeout: timeout)
        } else if let port = address.after("127.0.0.1:").flatMap(UInt16.init) {
            try self.init(port: port, timeout: timeout)
        } else if let port = address.after("[::1]:").flatMap(UInt16.init) {
            try self.init(loopback6Port: port, timeout: timeout)
        } else if let port = address.after("vsock:1:").flatMap(UInt32.init) {
            let descriptor = try makeSocket(AF_VSOCK, type: SOCK_STREAM)
            try self.init(adopting: descriptor, timeout: timeout) { () throws(Errno) in
                unsafe try check(
                    withLocalVsock(port: port) { unsafe connect(descriptor.rawValue, $0, $1) }
                )
            }
        } else {
            throw .invalidArgument
        }
    }

    /// Returns whether an address refuses connections or its socket file does not exist.
    package static func isRefused(at address: String) throws -> Bool {
        do throws(Errno) {
            _ = try Client(address: address)
            return false
        } catch {
            return error == .connectionRefused || error == .noSuchFileOrDirectory
        }
    }

    /// Connects to a TCP port of [::1].
    private init(loopback6Port port: UInt16, timeout: Duration) throws(Errno) {
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = port.bigEndian
        unsafe withUnsafeMutableBytes(of: &address.sin6_addr) { unsafe $0[15] = 1 }
        let size = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let descriptor = try makeSocket(AF_INET6, type: SOCK_STREAM)
        try self.init(adopting: descriptor, timeout: timeout) { () throws(Errno) in
            let result = unsafe withUnsafePointer(to: address) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe connect(descriptor.rawValue, $0, size)
                }
            }
            try check(result)
        }
    }

    /// Connects to a Unix-domain socket with an abstract name.
    private init(abstractName name: String, timeout: Duration) throws(Errno) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { bytes in
            precondition(name.utf8.count < bytes.count, "the name is too long for a socket")
            // The first byte stays 0, which marks an abstract name.
            unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[1...]).copyBytes(from: name.utf8)
        }
        let prefix = MemoryLayout.offset(of: \sockaddr_un.sun_path) ?? 0
        let size = socklen_t(prefix + 1 + name.utf8.count)
        let descriptor = try makeSocket(AF_UNIX, type: SOCK_STREAM)
        try self.init(adopting: descriptor, timeout: timeout) { () throws(Errno) in
            let result = unsafe withUnsafePointer(to: address) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe connect(descriptor.rawValue, $0, size)
                }
            }
            try check(result)
        }
    }
}

extension String {
    /// Returns the text after a prefix, or nil if the text does not begin with it.
    fileprivate func after(_ prefix: String) -> String? {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
    }
}
