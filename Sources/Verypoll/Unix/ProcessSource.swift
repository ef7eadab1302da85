#if OSExt
public import SystemPackage

/// A process as a source: readable once it has ended; see pidfd_open(2).
///
/// Unlike its number, it never comes to mean another process. Register it as
/// ``RegistrationMode/level`` or ``RegistrationMode/edge``: the end comes once.
public struct ProcessSource: ~Copyable, Sendable, DescriptorSource {
    private let process: ProcessDescriptor

    /// The pidfd.
    public var fileDescriptor: FileDescriptor { process.fileDescriptor }

    /// Opens a process: a child that was not waited for, or any other while its number is known to
    /// be its own.
    ///
    /// - Throws: `Errno.noSuchProcess` if there is none. See pidfd_open(2), of Linux 5.3.
    public init(processID: Int32) throws(Errno) {
        process = try ProcessDescriptor(processID: processID)
    }

    /// Takes over a pidfd, as that of a socket's peer.
    public init(adopting descriptor: consuming OwnedFD) {
        process = ProcessDescriptor(adopting: descriptor)
    }

    /// How a process has ended.
    public enum Termination: Hashable, Sendable {
        /// By itself, with an exit status.
        case exited(Int32)
        /// By a signal.
        case signaled(Signal)
    }

    /// Takes the news that a child has ended, so that it is no zombie any more.
    ///
    /// - Returns: How, or `nil` while it runs.
    /// - Throws: `Errno.noChildProcess` if it is no child of this process, or its end was taken
    ///   already. See waitid(2), of Linux 5.4 for a pidfd.
    public func termination() throws(Errno) -> Termination? {
        guard let (status, isSignal) = try process.reap() else { return nil }
        return isSignal ? .signaled(Signal(rawValue: status)) : .exited(status)
    }

    /// Sends it a signal.
    ///
    /// - Throws: `Errno.noSuchProcess` if it has ended and was waited for, `Errno.notPermitted` if
    ///   it is somebody else's. See pidfd_send_signal(2).
    public func send(_ signal: Signal) throws(Errno) {
        try process.send(signal.rawValue)
    }

    /// Gives the pidfd up without closing it.
    public consuming func release() -> OwnedFD { process.release() }
}
#endif
