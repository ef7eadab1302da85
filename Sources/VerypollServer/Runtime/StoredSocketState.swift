internal import Glibc
package import SystemPackage
package import Verypoll

/// Options of listening sockets, among them those that cannot be changed after binding.
package enum StoredSocketState {
    /// Returns whether other sockets with the same option may bind the same port; `SO_REUSEPORT` in
    /// socket(7).
    package static func sharesPort(_ socket: FileDescriptor) -> Bool {
        option(socket, SOL_SOCKET, SO_REUSEPORT) ?? 0 != 0
    }

    /// Lets other sockets of this user bind the same address, or stops that; `SO_REUSEPORT` in
    /// socket(7).
    package static func setSharesPort(_ isOn: Bool, of socket: FileDescriptor) throws(Errno) {
        try set(isOn ? 1 : 0, SOL_SOCKET, SO_REUSEPORT, of: socket)
    }

    /// Makes the kernel give new connections to other sockets, while connections whose handshake
    /// has begun still reach the backlog of this one.
    ///
    /// The socket is bound to a network interface that does not exist, so it matches no first
    /// packet of a connection; `SO_BINDTODEVICE` in socket(7). Undoing this requires CAP_NET_RAW.
    package static func turnConnectionsAway(from socket: FileDescriptor) throws(Errno) {
        try set(.max, SOL_SOCKET, SO_BINDTOIFINDEX, of: socket)
    }

    /// Returns whether a process has called ``turnConnectionsAway(from:)`` on the socket and then
    /// ended without closing it.
    package static func turnsConnectionsAway(_ socket: FileDescriptor) -> Bool {
        (option(socket, SOL_SOCKET, SO_BINDTOIFINDEX) ?? 0) != 0
    }

    /// Returns whether the socket is bound to `[::]` and does not accept IPv4; `IPV6_V6ONLY` in
    /// ipv6(7).
    ///
    /// The kernel sets the option on every socket that is bound to a specific IPv6 address, so for
    /// those the option does not show how the socket was configured.
    package static func isOnlyV6(_ socket: borrowing TCPListener) -> Bool {
        guard let address = try? socket.localAddress(), address.ip.family == .v6,
            address.ip.isUnspecified
        else { return false }
        return option(socket.fileDescriptor, CInt(IPPROTO_IPV6), IPV6_V6ONLY) == 1
    }

    /// Sets how many seconds a connection without data is kept out of the backlog;
    /// `TCP_DEFER_ACCEPT` in tcp(7).
    package static func setDeferredAccept(
        _ seconds: Int,
        of socket: FileDescriptor
    ) throws(Errno) {
        try set(CInt(clamping: seconds), CInt(IPPROTO_TCP), TCP_DEFER_ACCEPT, of: socket)
    }

    private static func set(
        _ value: CInt,
        _ level: CInt,
        _ name: CInt,
        of socket: FileDescriptor
    ) throws(Errno) {
        var value = value
        let size = socklen_t(MemoryLayout<CInt>.size)
        let code = unsafe setsockopt(socket.rawValue, level, name, &value, size)
        guard code == 0 else { throw Errno(rawValue: errno) }
    }

    private static func option(_ socket: FileDescriptor, _ level: CInt, _ name: CInt) -> CInt? {
        var value: CInt = 0
        var size = socklen_t(MemoryLayout<CInt>.size)
        let code = unsafe getsockopt(socket.rawValue, level, name, &value, &size)
        return code == 0 ? value : nil
    }
}
