#if Net
internal import Glibc
internal import SystemPackage

extension FileDescriptor {
    func set(_ option: IntegerOption, to value: CInt) throws(Errno) {
        var value = value
        _ = try syscall {
            unsafe setsockopt(
                rawValue,
                option.level,
                option.name,
                &value,
                socklen_t(MemoryLayout<CInt>.size)
            )
        }
    }

    func value(of option: IntegerOption) throws(Errno) -> CInt {
        var value: CInt = 0
        var size = socklen_t(MemoryLayout<CInt>.size)
        _ = try syscall { unsafe getsockopt(rawValue, option.level, option.name, &value, &size) }
        return value
    }

    /// Takes the pending error off the socket, `SO_ERROR`.
    func takeError() throws(Errno) -> Errno? {
        let code = try value(of: .error)
        return code == 0 ? nil : Errno(rawValue: code)
    }

    /// shutdown(2).
    func shutdown(_ direction: ShutdownDirection) throws(Errno) {
        _ = try syscall { Glibc.shutdown(rawValue, direction.rawValue) }
    }
}

extension ShutdownDirection {
    fileprivate var rawValue: CInt {
        switch self {
        case .read: CInt(SHUT_RD)
        case .write: CInt(SHUT_WR)
        case .both: CInt(SHUT_RDWR)
        }
    }
}
#endif
