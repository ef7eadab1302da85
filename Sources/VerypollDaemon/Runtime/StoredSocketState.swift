#if Net && OSExt
internal import Glibc
internal import SystemPackage
internal import Verypoll

/// What a listening socket was made with, which cannot be changed any more, and what can.
enum StoredSocketState {
    /// Whether it shares its port with others of its kind; `SO_REUSEPORT` in socket(7).
    static func sharesPort(_ socket: borrowing TCPListener) -> Bool {
        option(socket.fileDescriptor, SOL_SOCKET, SO_REUSEPORT) != 0
    }

    /// Whether it is bound to `[::]` and keeps IPv4 off; `IPV6_V6ONLY` in ipv6(7).
    ///
    /// The kernel sets the option by itself on every socket that is bound to a specific IPv6
    /// address, so there the option does not tell how the socket was configured.
    static func isOnlyV6(_ socket: borrowing TCPListener) -> Bool {
        guard let address = try? socket.localAddress(), address.ip.family == .v6,
            address.ip.isUnspecified
        else { return false }
        return option(socket.fileDescriptor, CInt(IPPROTO_IPV6), IPV6_V6ONLY) == 1
    }

    /// Sets how many seconds a connection without data stays out of the backlog;
    /// `TCP_DEFER_ACCEPT` in tcp(7).
    static func setDeferredAccept(
        _ seconds: Int,
        of socket: borrowing TCPListener
    ) throws(Errno) {
        var value = CInt(clamping: seconds)
        let size = socklen_t(MemoryLayout<CInt>.size)
        let descriptor = socket.fileDescriptor.rawValue
        let code = unsafe setsockopt(
            descriptor,
            CInt(IPPROTO_TCP),
            TCP_DEFER_ACCEPT,
            &value,
            size
        )
        guard code == 0 else { throw Errno(rawValue: errno) }
    }

    private static func option(_ socket: FileDescriptor, _ level: CInt, _ name: CInt) -> CInt? {
        var value: CInt = 0
        var size = socklen_t(MemoryLayout<CInt>.size)
        let code = unsafe getsockopt(socket.rawValue, level, name, &value, &size)
        return code == 0 ? value : nil
    }
}
#endif
