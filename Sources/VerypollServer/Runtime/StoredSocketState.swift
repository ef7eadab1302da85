internal import Glibc
package import SystemPackage
package import Verypoll

/// What a listening socket was made with, which cannot be changed any more, and what can.
package enum StoredSocketState {
    /// Whether it shares its port with others of its kind; `SO_REUSEPORT` in socket(7).
    package static func sharesPort(_ socket: FileDescriptor) -> Bool {
        option(socket, SOL_SOCKET, SO_REUSEPORT) ?? 0 != 0
    }

    /// Lets another socket of this user be bound where this one is, or not; `SO_REUSEPORT` in
    /// socket(7).
    package static func setSharesPort(_ isOn: Bool, of socket: FileDescriptor) throws(Errno) {
        try set(isOn ? 1 : 0, SOL_SOCKET, SO_REUSEPORT, of: socket)
    }

    /// Has the kernel give new connections to other sockets, while handshakes under way still
    /// arrive in the backlog of this one.
    ///
    /// The socket is bound to a network interface that does not exist, which makes it match no
    /// first packet of a connection; `SO_BINDTODEVICE` in socket(7). It cannot be undone without
    /// CAP_NET_RAW.
    package static func turnConnectionsAway(from socket: FileDescriptor) throws(Errno) {
        try set(.max, SOL_SOCKET, SO_BINDTOIFINDEX, of: socket)
    }

    /// Whether a process has turned connections away from it and ended before it let go of it.
    package static func turnsConnectionsAway(_ socket: FileDescriptor) -> Bool {
        (option(socket, SOL_SOCKET, SO_BINDTOIFINDEX) ?? 0) != 0
    }

    /// Whether it is bound to `[::]` and keeps IPv4 off; `IPV6_V6ONLY` in ipv6(7).
    ///
    /// The kernel sets the option by itself on every socket that is bound to a specific IPv6
    /// address, so there the option does not tell how the socket was configured.
    package static func isOnlyV6(_ socket: borrowing TCPListener) -> Bool {
        guard let address = try? socket.localAddress(), address.ip.family == .v6,
            address.ip.isUnspecified
        else { return false }
        return option(socket.fileDescriptor, CInt(IPPROTO_IPV6), IPV6_V6ONLY) == 1
    }

    /// Sets how many seconds a connection without data stays out of the backlog;
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
