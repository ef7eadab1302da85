internal import Glibc
internal import Synchronization
package import SystemPackage

extension Client {
    /// Connects to a TCP port of 127.0.0.1 from another address of 127.0.0.0/24.
    ///
    /// - Parameters:
    ///   - source: The last number of the source address: 2 means 127.0.0.2.
    ///   - port: The port to connect to.
    ///   - timeout: The longest that a call may block.
    /// - Throws: See bind(2) and connect(2).
    package init(
        from source: UInt8,
        port: UInt16,
        timeout: Duration = patience
    ) throws(Errno) {
        let descriptor = try makeSocket(AF_INET, type: SOCK_STREAM)
        try self.init(adopting: descriptor, timeout: timeout) { () throws(Errno) in
            let number = descriptor.rawValue
            // The kernel picks the source port in connect(2), so that the port range is available
            // per destination.
            try setOption(IP_BIND_ADDRESS_NO_PORT, at: Int32(IPPROTO_IP), of: descriptor)
            unsafe try check(withLoopback(source, port: 0) { unsafe bind(number, $0, $1) })
            unsafe try check(withLoopback(1, port: port) { unsafe connect(number, $0, $1) })
        }
    }

    /// The TCP port of this end.
    package func localPort() throws(Errno) -> UInt16 {
        try boundPort(of: descriptor)
    }
}

extension Server {
    /// Listens on a TCP port of an address in 127.0.0.0/24.
    ///
    /// The port is outside of the kernel's ephemeral range, so no other process takes it while this
    /// socket does not listen; see ``stopListening()``.
    ///
    /// - Parameters:
    ///   - host: The last number of the address.
    ///   - port: The port, or `nil` for a free one.
    /// - Throws: See bind(2).
    package init(host: UInt8, port: UInt16? = nil) throws(Errno) {
        let chosen: UInt16
        if let port { chosen = port } else { chosen = try reservedPort() }
        let descriptor = try makeSocket(AF_INET, type: SOCK_STREAM)
        do {
            let number = descriptor.rawValue
            try setOption(SO_REUSEADDR, at: SOL_SOCKET, of: descriptor)
            unsafe try check(withLoopback(host, port: chosen) { unsafe bind(number, $0, $1) })
            try check(Glibc.listen(number, 1024))
        } catch {
            try? descriptor.close()
            throw error
        }
        self.port = chosen
        self.descriptor = descriptor
    }

    /// Refuses new connections, and resets those that are not yet accepted.
    package func stopListening() throws(Errno) {
        try check(shutdown(descriptor.rawValue, Int32(SHUT_RDWR)))
    }

    /// Accepts connections again.
    package func listenAgain() throws(Errno) {
        try check(Glibc.listen(descriptor.rawValue, 1024))
    }
}

/// Returns a TCP port that is free on all of this machine's addresses, below the ephemeral range.
///
/// No process gets this port by chance, neither before its first use nor while its owner does not
/// listen. See `ip_local_port_range` in ip(7).
package func reservedPort() throws(Errno) -> UInt16 {
    while true {
        let port = UInt16(10_000 + nextPort.add(1, ordering: .relaxed).oldValue % 22_000)
        let descriptor = try makeSocket(AF_INET, type: SOCK_STREAM)
        defer { try? descriptor.close() }
        try setOption(SO_REUSEADDR, at: SOL_SOCKET, of: descriptor)
        // Binding 0.0.0.0 conflicts with every other address.
        let result = unsafe withLoopback(nil, port: port) {
            unsafe bind(descriptor.rawValue, $0, $1)
        }
        if result == 0 { return port }
        if errno != EADDRINUSE { throw Errno(rawValue: errno) }
    }
}

/// Counts the ports that were tried, so that no two tests get the same one.
private let nextPort = Atomic(Int.random(in: 0..<22_000))

/// Passes an address in 127.0.0.0/24, or 0.0.0.0 for `nil`, to `body`.
private func withLoopback(
    _ host: UInt8?,
    port: UInt16,
    _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
) -> Int32 {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = host.map { (0x7F00_0000 | UInt32($0)).bigEndian } ?? 0
    return unsafe withUnsafePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            unsafe body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
}

private func setOption(
    _ option: Int32,
    at level: Int32,
    of socket: FileDescriptor
) throws(Errno) {
    var value: Int32 = 1
    let size = socklen_t(MemoryLayout<Int32>.size)
    try check(unsafe setsockopt(socket.rawValue, level, option, &value, size))
}
