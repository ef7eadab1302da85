internal import CVerypoll
public import SystemPackage

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

extension OwnedFD {
    /// Creates a second descriptor of the same open file, close-on-exec.
    ///
    /// A registration of one of them lasts until both are closed, so deregister a source before its
    /// value goes out of scope.
    ///
    /// - Throws: `Errno.tooManyOpenFiles` if the process is out of descriptors. See fcntl(2).
    public func duplicate() throws(Errno) -> OwnedFD {
        OwnedFD(rawValue: try syscall { fcntl(rawValue, F_DUPFD_CLOEXEC, 0) })
    }

    /// Sets `O_NONBLOCK` and `FD_CLOEXEC`; see fcntl(2).
    func makeNonBlockingAndCloseOnExec() throws(Errno) {
        try setNonBlocking(true)
        let flags = try syscall { fcntl(rawValue, F_GETFD) }
        _ = try syscall { fcntl(rawValue, F_SETFD, flags | FD_CLOEXEC) }
    }

    /// Creates a pipe; returns its reading end, then its writing end.
    ///
    /// See pipe2(2).
    static func pipe() throws(Errno) -> (CInt, CInt) {
        try unsafe makePair { pair in unsafe pipe2(pair, O_NONBLOCK | O_CLOEXEC) }
    }

    /// Runs a call that creates two descriptors.
    static func makePair(
        _ body: (UnsafeMutablePointer<CInt>?) -> CInt
    ) throws(Errno) -> (CInt, CInt) {
        var pair: [2 of CInt] = [-1, -1]
        var span = pair.mutableSpan
        _ = try unsafe span.withUnsafeMutableBufferPointer { buffer throws(Errno) in
            try syscall { unsafe body(buffer.baseAddress) }
        }
        return (pair[0], pair[1])
    }

    /// Checks that the descriptor is the requested end of a pipe or FIFO.
    ///
    /// Then makes it non-blocking and close-on-exec.
    ///
    /// Throws `invalidArgument` if it is not a pipe, and `badFileDescriptor` for the wrong end,
    /// like read(2) and write(2).
    func adoptPipe(forReading: Bool) throws(Errno) {
        var status = stat()
        _ = try syscall { unsafe fstat(rawValue, &status) }
        guard status.st_mode & S_IFMT == S_IFIFO else { throw .invalidArgument }
        let mode = try syscall { fcntl(rawValue, F_GETFL) } & O_ACCMODE
        guard mode == O_RDWR || mode == (forReading ? O_RDONLY : O_WRONLY) else {
            throw .badFileDescriptor
        }
        try makeNonBlockingAndCloseOnExec()
    }

    /// Sets or clears `O_NONBLOCK`, which all duplicates of the descriptor share.
    func setNonBlocking(_ isOn: Bool) throws(Errno) {
        let status = try syscall { fcntl(rawValue, F_GETFL) }
        let wanted = isOn ? status | O_NONBLOCK : status & ~O_NONBLOCK
        _ = try syscall { fcntl(rawValue, F_SETFL, wanted) }
    }
}
