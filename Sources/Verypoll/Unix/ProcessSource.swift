#if OSExt
public import SystemPackage

/// A source for a process, readable once the process has ended; see pidfd_open(2).
///
/// Unlike a process ID, it never refers to another process. Register it as
/// ``RegistrationMode/level`` or ``RegistrationMode/edge``; a process ends only once.
public struct ProcessSource: ~Copyable, Sendable, DescriptorSource {
    private let process: ProcessDescriptor

    /// The pidfd.
    public var fileDescriptor: FileDescriptor { process.fileDescriptor }

    /// Opens the process with an ID: a child that was not waited for, or another process whose ID
    /// cannot have been reused.
    ///
    /// - Throws: `Errno.noSuchProcess` if no process has the ID. See pidfd_open(2); requires Linux
    ///   5.3.
    public init(processID: Int32) throws(Errno) {
        process = try ProcessDescriptor(processID: processID)
    }

    /// Takes ownership of a pidfd, such as that of a socket's peer.
    public init(adopting descriptor: consuming OwnedFD) {
        process = ProcessDescriptor(adopting: descriptor)
    }

    /// How a process ended.
    public enum Termination: Hashable, Sendable {
        /// The process exited with a status.
        case exited(Int32)
        /// A signal ended the process.
        case signaled(Signal)
    }

    /// Reaps a child that has ended, so that it is no longer a zombie.
    ///
    /// - Returns: How the child ended, or `nil` while it runs.
    /// - Throws: `Errno.noChildProcess` if the process is not a child of this process, or was
    ///   already reaped. See waitid(2); a pidfd requires Linux 5.4.
    public func termination() throws(Errno) -> Termination? {
        guard let (status, isSignal) = try process.reap() else { return nil }
        return isSignal ? .signaled(Signal(rawValue: status)) : .exited(status)
    }

    /// Sends a signal to the process.
    ///
    /// - Throws: `Errno.noSuchProcess` if the process has ended and was waited for,
    ///   `Errno.notPermitted` if it belongs to another user. See pidfd_send_signal(2).
    public func send(_ signal: Signal) throws(Errno) {
        try process.send(signal.rawValue)
    }

    /// Gives up ownership of the pidfd without closing it.
    public consuming func release() -> OwnedFD { process.release() }
}
#endif
