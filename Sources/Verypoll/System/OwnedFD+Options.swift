#if Net
internal import CVerypoll
internal import SystemPackage

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

extension OwnedFD {
    func set(_ option: IntegerOption, to value: CInt) throws(Errno) {
        try fileDescriptor.set(option, to: value)
    }

    func set(_ option: IntegerOption, to isOn: Bool) throws(Errno) {
        try fileDescriptor.set(option, to: isOn)
    }

    func value(of option: IntegerOption) throws(Errno) -> CInt {
        try fileDescriptor.value(of: option)
    }

    /// Makes close(2) send a reset, by `SO_LINGER` with a time of 0.
    func setLingerToZero() throws(Errno) {
        var value = linger(l_onoff: 1, l_linger: 0)
        let size = socklen_t(MemoryLayout<linger>.size)
        _ = try syscall {
            unsafe setsockopt(rawValue, SOL_SOCKET, SO_LINGER, &value, size)
        }
    }

    /// Sets the options that an IP socket must have before it is bound.
    func prepareToBind(
        _ family: IPAddress.Family,
        reusesAddress: Bool,
        reusesPort: Bool,
        freeBinds: Bool,
        isOnlyV6: Bool
    ) throws(Errno) {
        if reusesAddress { try set(.reuseAddress, to: true) }
        if reusesPort { try set(.reusePort, to: true) }
        if freeBinds { try set(.freeBind, to: true) }
        if family == .v6 { try set(.onlyV6, to: isOnlyV6) }
    }

    /// Checks that the descriptor is a socket of one of the families, of the type, and listening or
    /// not as expected.
    ///
    /// Then makes it non-blocking and close-on-exec.
    ///
    /// Throws `notSocket`, `protocolWrongTypeForSocket`, `addressFamilyNotSupported`, or
    /// `invalidArgument` if it does not listen but should, or the reverse.
    func adopt(
        families: [CInt],
        type: SocketType,
        isListening: Bool = false
    ) throws(Errno) {
        guard try value(of: .type) == type.rawValue else { throw .protocolWrongTypeForSocket }
        let family = try value(of: .family)
        guard families.contains(family) else { throw .addressFamilyNotSupported }
        guard try (value(of: .acceptsConnections) != 0) == isListening else {
            throw .invalidArgument
        }
        try makeNonBlockingAndCloseOnExec()
    }
}

extension FileDescriptor {
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
                // The kernel returned the size it needs. Groups may be added between the calls, so
                // this loops.
                groups = Array(repeating: 0, count: Int(size) / MemoryLayout<UInt32>.stride)
            }
        }
    }
}
#endif
