#if Net
internal import CVerypoll
internal import Glibc
internal import SystemPackage

/// A socket option whose value is an int; see socket(7), ip(7), ipv6(7) and tcp(7).
struct IntegerOption {
    let level: CInt
    let name: CInt

    static let acceptsConnections = IntegerOption(level: SOL_SOCKET, name: SO_ACCEPTCONN)
    static let error = IntegerOption(level: SOL_SOCKET, name: SO_ERROR)
    static let family = IntegerOption(level: SOL_SOCKET, name: SO_DOMAIN)
    static let freeBind = IntegerOption(level: CInt(IPPROTO_IP), name: IP_FREEBIND)
    static let keepAlive = IntegerOption(level: SOL_SOCKET, name: SO_KEEPALIVE)
    static let reuseAddress = IntegerOption(level: SOL_SOCKET, name: SO_REUSEADDR)
    static let reusePort = IntegerOption(level: SOL_SOCKET, name: SO_REUSEPORT)
    static let type = IntegerOption(level: SOL_SOCKET, name: SO_TYPE)
    static let onlyV6 = IntegerOption(level: CInt(IPPROTO_IPV6), name: IPV6_V6ONLY)
    static let hopLimitV4 = IntegerOption(level: CInt(IPPROTO_IP), name: IP_TTL)
    static let hopLimitV6 = IntegerOption(
        level: CInt(IPPROTO_IPV6),
        name: IPV6_UNICAST_HOPS
    )

    static let noDelay = IntegerOption(tcp: TCP_NODELAY)
    static let deferAccept = IntegerOption(tcp: TCP_DEFER_ACCEPT)
    static let keepAliveIdle = IntegerOption(tcp: TCP_KEEPIDLE)
    static let keepAliveInterval = IntegerOption(tcp: TCP_KEEPINTVL)
    static let userTimeout = IntegerOption(tcp: TCP_USER_TIMEOUT)
}

extension IntegerOption {
    fileprivate init(tcp name: CInt) {
        self.init(level: CInt(IPPROTO_TCP), name: name)
    }
}

extension OwnedFD {
    func set(_ option: IntegerOption, to value: CInt) throws(Errno) {
        try fileDescriptor.set(option, to: value)
    }

    func value(of option: IntegerOption) throws(Errno) -> CInt {
        try fileDescriptor.value(of: option)
    }

    /// Makes close(2) send a reset, `SO_LINGER` with no time.
    func setLingerToZero() throws(Errno) {
        var value = linger(l_onoff: 1, l_linger: 0)
        let size = socklen_t(MemoryLayout<linger>.size)
        _ = try syscall {
            unsafe setsockopt(rawValue, SOL_SOCKET, SO_LINGER, &value, size)
        }
    }

    /// Checks that it is a stream socket of one of the families, listening or not, and makes it
    /// non-blocking and close-on-exec.
    ///
    /// Throws `notSocket`, `protocolWrongTypeForSocket`, `addressFamilyNotSupported`, or
    /// `invalidArgument` where a listening socket was expected and it is none, or the reverse.
    func adopt(families: [CInt], listening: Bool) throws(Errno) {
        guard try value(of: .type) == CInt(SOCK_STREAM.rawValue) else {
            throw .protocolWrongTypeForSocket
        }
        let family = try value(of: .family)
        guard families.contains(family) else { throw .addressFamilyNotSupported }
        guard try (value(of: .acceptsConnections) != 0) == listening else {
            throw .invalidArgument
        }
        try makeNonBlockingAndCloseOnExec()
    }

    /// `SO_PEERCRED`.
    func peerCredentials() throws(Errno) -> PeerCredentials {
        var raw = cverypoll_ucred()
        var size = socklen_t(MemoryLayout<cverypoll_ucred>.size)
        _ = try syscall { unsafe getsockopt(rawValue, SOL_SOCKET, SO_PEERCRED, &raw, &size) }
        return PeerCredentials(processID: raw.pid, userID: raw.uid, groupID: raw.gid)
    }

    /// `SO_PEERGROUPS`.
    func peerGroups() throws(Errno) -> [UInt32] {
        var groups = [UInt32](repeating: 0, count: 64)
        while true {
            let room = groups.count * MemoryLayout<UInt32>.stride
            var size = socklen_t(room)
            do throws(Errno) {
                _ = try syscall {
                    unsafe getsockopt(rawValue, SOL_SOCKET, SO_PEERGROUPS, &groups, &size)
                }
                return Array(groups.prefix(Int(size) / MemoryLayout<UInt32>.stride))
            } catch .outOfRange where Int(size) > room {
                // The kernel says how much room it wants; groups may have come meanwhile.
                groups = Array(repeating: 0, count: Int(size) / MemoryLayout<UInt32>.stride)
            }
        }
    }
}
#endif
