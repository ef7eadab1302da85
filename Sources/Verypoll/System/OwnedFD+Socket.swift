#if Net
internal import CVerypoll
internal import SystemPackage

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// The type of a socket; see socket(2).
enum SocketType {
    case stream
    case datagram

    var rawValue: CInt {
        switch self {
        case .stream: CInt(SOCK_STREAM.rawValue)
        case .datagram: CInt(SOCK_DGRAM.rawValue)
        }
    }

    fileprivate var nonBlocking: CInt {
        rawValue | CInt(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    }
}

extension OwnedFD {
    static var unixFamily: CInt { AF_UNIX }
    static var vsockFamily: CInt { AF_VSOCK }
    static var internetFamilies: [CInt] { [AF_INET, AF_INET6] }

    /// Creates a socket of a family, non-blocking and close-on-exec; see socket(2).
    static func socket(family: CInt, _ type: SocketType) throws(Errno) -> OwnedFD {
        OwnedFD(rawValue: try syscall { libcSocket(family, type.nonBlocking) })
    }

    static func socket(for address: SocketAddress, _ type: SocketType) throws(Errno) -> OwnedFD {
        try socket(family: address.ip.family == .v4 ? AF_INET : AF_INET6, type)
    }

    /// Creates two connected Unix-domain sockets; see socketpair(2).
    static func socketPair(_ type: SocketType) throws(Errno) -> (CInt, CInt) {
        try unsafe makePair { pair in unsafe socketpair(AF_UNIX, type.nonBlocking, 0, pair) }
    }

    /// fchmod(2).
    func setMode(_ mode: FilePermissions) throws(Errno) {
        _ = try syscall { fchmod(rawValue, mode.rawValue) }
    }

    func bind(to address: KernelAddress) throws(Errno) {
        _ = try unsafe address.withPointer { pointer, length throws(Errno) in
            try syscall { unsafe libcBind(rawValue, pointer, length) }
        }
    }

    func listen(backlog: Int) throws(Errno) {
        _ = try syscall { libcListen(rawValue, CInt(clamping: backlog)) }
    }

    /// connect(2); returns `true` if it is done, `false` if it is in progress.
    @discardableResult
    func connect(to address: KernelAddress) throws(Errno) -> Bool {
        try unsafe address.withPointer { pointer, length throws(Errno) in
            do throws(Errno) {
                _ = try syscall { unsafe cverypoll_connect(rawValue, pointer, length) }
                return true
            } catch .nowInProgress {
                return false
            }
        }
    }

    /// accept4(2); returns the new descriptor, or `nil` if no connection is waiting.
    func accept(peer: inout KernelAddress) throws(Errno) -> CInt? {
        let flags = CInt(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        return try unsafe peer.fill { pointer, length throws(Errno) in
            try readySyscall(reading: rawValue) {
                unsafe cverypoll_accept(rawValue, pointer, length, flags)
            }
        }
    }
}
#endif
