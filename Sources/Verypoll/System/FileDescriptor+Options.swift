#if Net
internal import CVerypoll
internal import SystemPackage

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// A socket option whose value is an int; see socket(7), ip(7), ipv6(7), tcp(7) and unix(7).
struct IntegerOption {
    let level: CInt
    let name: CInt

    static let acceptsConnections = IntegerOption(SO_ACCEPTCONN)
    static let broadcast = IntegerOption(SO_BROADCAST)
    static let error = IntegerOption(SO_ERROR)
    static let family = IntegerOption(SO_DOMAIN)
    static let keepAlive = IntegerOption(SO_KEEPALIVE)
    static let passCredentials = IntegerOption(SO_PASSCRED)
    static let passRights = IntegerOption(cverypoll_passrights)
    static let peekOffset = IntegerOption(SO_PEEK_OFF)
    static let peerProcess = IntegerOption(cverypoll_peerpidfd)
    static let receiveBuffer = IntegerOption(SO_RCVBUF)
    static let reuseAddress = IntegerOption(SO_REUSEADDR)
    static let reusePort = IntegerOption(SO_REUSEPORT)
    static let sendBuffer = IntegerOption(SO_SNDBUF)
    static let type = IntegerOption(SO_TYPE)

    static let freeBind = IntegerOption(v4: IP_FREEBIND)
    static let hopLimitV4 = IntegerOption(v4: IP_TTL)
    static let multicastHopLimitV4 = IntegerOption(v4: IP_MULTICAST_TTL)
    static let multicastLoopV4 = IntegerOption(v4: IP_MULTICAST_LOOP)

    static let hopLimitV6 = IntegerOption(v6: IPV6_UNICAST_HOPS)
    static let multicastHopLimitV6 = IntegerOption(v6: IPV6_MULTICAST_HOPS)
    static let multicastInterfaceV6 = IntegerOption(v6: IPV6_MULTICAST_IF)
    static let multicastLoopV6 = IntegerOption(v6: IPV6_MULTICAST_LOOP)
    static let onlyV6 = IntegerOption(v6: IPV6_V6ONLY)

    static let deferAccept = IntegerOption(tcp: TCP_DEFER_ACCEPT)
    static let fastOpen = IntegerOption(tcp: TCP_FASTOPEN)
    static let keepAliveIdle = IntegerOption(tcp: TCP_KEEPIDLE)
    static let keepAliveInterval = IntegerOption(tcp: TCP_KEEPINTVL)
    static let noDelay = IntegerOption(tcp: TCP_NODELAY)
    static let userTimeout = IntegerOption(tcp: TCP_USER_TIMEOUT)
}

extension IntegerOption {
    fileprivate init(_ name: CInt) {
        self.init(level: SOL_SOCKET, name: name)
    }

    fileprivate init(v4 name: CInt) {
        self.init(level: CInt(IPPROTO_IP), name: name)
    }

    fileprivate init(v6 name: CInt) {
        self.init(level: CInt(IPPROTO_IPV6), name: name)
    }

    fileprivate init(tcp name: CInt) {
        self.init(level: CInt(IPPROTO_TCP), name: name)
    }
}

extension FileDescriptor {
    func set(_ option: IntegerOption, to value: CInt) throws(Errno) {
        var value = value
        let size = socklen_t(MemoryLayout<CInt>.size)
        _ = try syscall { unsafe setsockopt(rawValue, option.level, option.name, &value, size) }
    }

    func set(_ option: IntegerOption, to isOn: Bool) throws(Errno) {
        try set(option, to: isOn ? 1 : 0)
    }

    func value(of option: IntegerOption) throws(Errno) -> CInt {
        var value: CInt = 0
        var size = socklen_t(MemoryLayout<CInt>.size)
        _ = try syscall { unsafe getsockopt(rawValue, option.level, option.name, &value, &size) }
        return value
    }

    /// Returns the number of bytes that a TCP socket has not sent yet; `SIOCOUTQNSD`.
    func unsentByteCount() throws(Errno) -> Int {
        var count: CInt = 0
        _ = try syscall { unsafe cverypoll_unsent(rawValue, &count) }
        return Int(count)
    }

    /// Returns the option of the socket's family, if IPv4 and IPv6 have separate ones.
    func choose(v4: IntegerOption, v6: IntegerOption) throws(Errno) -> IntegerOption {
        try value(of: .family) == AF_INET ? v4 : v6
    }

    /// Whether the descriptor is a stream socket.
    var isStreamSocket: Bool { (try? value(of: .type)) == SocketType.stream.rawValue }

    /// Returns and clears the pending error of the socket; `SO_ERROR`.
    func takeError() throws(Errno) -> Errno? {
        let code = try value(of: .error)
        guard code != 0 else { return nil }
        let error = Errno(rawValue: code)
        SelectorNotice.callFailed(rawValue, error)
        return error
    }

    /// Returns the progress of a connect; see connect(2), `EINPROGRESS`.
    func finishConnect() throws(Errno) -> ConnectProgress {
        if try hasPeer() { return .connected }
        if isConnecting { return .pending }
        // The handshake may have ended between the two checks.
        guard try hasPeer() else { throw .socketNotConnected }
        return .connected
    }

    /// Whether the socket has a peer; throws the pending error of the socket, if there is one.
    private func hasPeer() throws(Errno) -> Bool {
        if let error = try takeError() { throw error }
        do throws(Errno) {
            _ = try peerAddress()
            return true
        } catch .socketNotConnected {
            return false
        }
    }

    /// Whether a TCP or vsock socket is in the handshake.
    ///
    /// A socket that has no peer and is not in the handshake has failed, and its error was already
    /// taken.
    private var isConnecting: Bool {
        if (try? value(of: .family)) == AF_VSOCK { return !isWritable }
        // The state is the first byte of struct tcp_info; see tcp(7), `TCP_INFO`.
        var state: UInt8 = 0
        var size = socklen_t(MemoryLayout<UInt8>.size)
        guard unsafe getsockopt(rawValue, CInt(IPPROTO_TCP), TCP_INFO, &state, &size) == 0 else {
            return false
        }
        return CInt(state) == CInt(TCP_SYN_SENT) || CInt(state) == CInt(TCP_SYN_RECV)
    }

    /// Whether poll(2) reports room to write, as it does for a vsock socket in any state but the
    /// handshake.
    private var isWritable: Bool {
        var entry = pollfd(fd: rawValue, events: Int16(POLLOUT), revents: 0)
        return unsafe cverypoll_poll(&entry, 1, 0, 0) == 1
    }

    /// The address that the socket is bound to; see getsockname(2).
    func localAddress() throws(Errno) -> KernelAddress {
        var address = KernelAddress()
        _ = try unsafe address.fill { pointer, length throws(Errno) in
            try syscall { unsafe getsockname(rawValue, pointer, length) }
        }
        return address
    }

    /// The address of the other end; see getpeername(2).
    func peerAddress() throws(Errno) -> KernelAddress {
        var address = KernelAddress()
        _ = try unsafe address.fill { pointer, length throws(Errno) in
            try syscall { unsafe getpeername(rawValue, pointer, length) }
        }
        return address
    }
}
#endif
