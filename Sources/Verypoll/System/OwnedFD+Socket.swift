#if Net
internal import CVerypoll
internal import Glibc
internal import SystemPackage

extension OwnedFD {
    static var unixFamily: CInt { AF_UNIX }
    static var internetFamilies: [CInt] { [AF_INET, AF_INET6] }

    /// A new stream socket of a family, non-blocking and close-on-exec; see socket(2).
    static func stream(family: CInt) throws(Errno) -> OwnedFD {
        OwnedFD(rawValue: try syscall { Glibc.socket(family, streamType, 0) })
    }

    static func stream(for address: SocketAddress) throws(Errno) -> OwnedFD {
        try stream(family: address.ip.family == .v4 ? AF_INET : AF_INET6)
    }

    /// Two connected Unix-domain stream sockets; see socketpair(2).
    static func streamPair() throws(Errno) -> (CInt, CInt) {
        var pair: [2 of CInt] = [-1, -1]
        var span = pair.mutableSpan
        _ = try unsafe span.withUnsafeMutableBufferPointer { buffer throws(Errno) in
            try syscall { unsafe socketpair(AF_UNIX, streamType, 0, buffer.baseAddress) }
        }
        return (pair[0], pair[1])
    }

    func bind(to address: KernelAddress) throws(Errno) {
        _ = try unsafe address.withPointer { pointer, length throws(Errno) in
            try syscall { unsafe Glibc.bind(rawValue, pointer, length) }
        }
    }

    func listen(backlog: Int) throws(Errno) {
        _ = try syscall { Glibc.listen(rawValue, CInt(clamping: backlog)) }
    }

    /// connect(2); returns whether it is done, rather than in progress.
    func connect(to address: KernelAddress) throws(Errno) -> Bool {
        try unsafe address.withPointer { pointer, length throws(Errno) in
            do throws(Errno) {
                _ = try syscall { unsafe Glibc.connect(rawValue, pointer, length) }
                return true
            } catch .nowInProgress {
                return false
            }
        }
    }

    /// How far a connect has come, without a look at its address unless that is needed.
    ///
    /// A socket without error and without peer is still connecting; see connect(2), `EINPROGRESS`.
    func finishConnect() throws(Errno) -> ConnectProgress {
        if let error = try fileDescriptor.takeError() { throw error }
        do throws(Errno) {
            _ = try peerAddress()
            return .connected
        } catch .socketNotConnected {
            return .pending
        }
    }

    /// accept4(2); `nil` if no connection is waiting, else the new descriptor.
    func accept(peer: inout KernelAddress) throws(Errno) -> CInt? {
        let flags = CInt(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        return try unsafe peer.fill { pointer, length throws(Errno) in
            try readySyscall { unsafe accept4(rawValue, pointer, length, flags) }
        }
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

    private static var streamType: CInt {
        CInt(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    }
}
#endif
