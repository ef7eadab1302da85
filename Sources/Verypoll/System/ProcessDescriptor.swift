#if OSExt
internal import CVerypoll
internal import SystemPackage

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// A pidfd, which refers to one process even if the process ID is reused; see pidfd_open(2).
struct ProcessDescriptor: ~Copyable, Sendable {
    private let descriptor: OwnedFD

    var fileDescriptor: FileDescriptor { descriptor.fileDescriptor }

    init(processID: Int32) throws(Errno) {
        descriptor = OwnedFD(rawValue: try syscall { cverypoll_pidfd_open(processID) })
    }

    init(adopting descriptor: consuming OwnedFD) {
        self.descriptor = descriptor
    }

    consuming func release() -> OwnedFD { descriptor }

    func send(_ signal: CInt) throws(Errno) {
        _ = try syscall { cverypoll_pidfd_send_signal(descriptor.rawValue, signal) }
    }

    /// Reaps the child; returns its exit status, or the signal that ended it.
    ///
    /// `nil` while it runs.
    func reap() throws(Errno) -> (status: CInt, isSignal: Bool)? {
        var code: CInt = 0
        var status: CInt = 0
        _ = try syscall { unsafe cverypoll_pidfd_wait(descriptor.rawValue, &code, &status) }
        return code == 0 ? nil : (status, code != CInt(CLD_EXITED))
    }
}
#endif
