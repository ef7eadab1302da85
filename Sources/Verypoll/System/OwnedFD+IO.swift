internal import Glibc
internal import SystemPackage

extension OwnedFD {
    /// A second descriptor of the same open file, close-on-exec; see fcntl(2).
    func duplicate() throws(Errno) -> OwnedFD {
        OwnedFD(rawValue: try syscall { fcntl(rawValue, F_DUPFD_CLOEXEC, 0) })
    }

    /// Sets `O_NONBLOCK` and `FD_CLOEXEC`; see fcntl(2).
    func makeNonBlockingAndCloseOnExec() throws(Errno) {
        let status = try syscall { fcntl(rawValue, F_GETFL) }
        _ = try syscall { fcntl(rawValue, F_SETFL, status | O_NONBLOCK) }
        let flags = try syscall { fcntl(rawValue, F_GETFD) }
        _ = try syscall { fcntl(rawValue, F_SETFD, flags | FD_CLOEXEC) }
    }
}
