internal import Glibc
public import SystemPackage

extension OwnedFD {
    /// Makes a second descriptor of the same open file, close-on-exec.
    ///
    /// What is registered by one of them stays registered until both are closed, so deregister a
    /// source before its value goes out of scope.
    ///
    /// - Throws: `Errno.tooManyOpenFiles` if out of descriptors. See fcntl(2).
    public func duplicate() throws(Errno) -> OwnedFD {
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
