#if OSExt
public import SystemPackage

/// A source for signals, readable while one of them is pending.
///
/// Pending signals with the same number are merged into one; see signal(7).
///
/// Child processes inherit the blocked signals, and programs keep them when they execute others. A
/// child that blocks `SIGTERM` ignores requests to terminate. So start children with an empty
/// signal mask, such as by `POSIX_SPAWN_SETSIGMASK` of posix_spawnattr_setflags(3), or let them
/// call ``unblockAll()``. <doc:WakingAndThreads> has an example.
public struct SignalSource: ~Copyable, Sendable, DescriptorSource {
    private let signals: SignalDescriptor

    /// The signalfd's descriptor.
    public var fileDescriptor: FileDescriptor { signals.fileDescriptor }

    /// Blocks the signals, so that they are delivered here and no handler runs.
    ///
    /// The signals are blocked in the calling thread and in threads that it starts afterward, so
    /// create the source before any other thread. They stay blocked after the source is destroyed.
    /// Traps if `signals` is empty, or contains one that cannot be blocked: `SIGKILL` (9),
    /// `SIGSTOP` (19), and 32 and 33, which the C library uses itself.
    ///
    /// - Throws: See signalfd(2).
    public init(blocking signals: [Signal]) throws(Errno) {
        precondition(!signals.isEmpty, "the list of signals must not be empty")
        precondition(
            signals.allSatisfy { SignalDescriptor.canBlock($0.rawValue) },
            "SIGKILL, SIGSTOP and the signals 32 and 33 cannot be blocked"
        )
        self.signals = try SignalDescriptor(blocking: signals.map(\.rawValue))
    }

    /// Unblocks all signals in the calling thread; pending ones are delivered at once.
    ///
    /// Call it at the start of a program whose parent may have blocked signals, or in a child
    /// between fork(2) and execve(2): it allocates no memory and takes no lock. See
    /// pthread_sigmask(3).
    public static func unblockAll() {
        SignalDescriptor.unblockAll()
    }

    /// Reads the next pending signal.
    ///
    /// - Returns: The signal, or `nil` if none is pending.
    /// - Throws: See read(2).
    public func next() throws(Errno) -> Signal? {
        try signals.next().map(Signal.init(rawValue:))
    }
}
#endif
