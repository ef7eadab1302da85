#if OSExt
public import SystemPackage

/// A source for signals, readable while one of them is pending.
///
/// Pending signals with the same number are merged into one; see signal(7).
public struct SignalSource: ~Copyable, Sendable, DescriptorSource {
    private let signals: SignalDescriptor

    /// The signalfd's descriptor.
    public var fileDescriptor: FileDescriptor { signals.fileDescriptor }

    /// Blocks the signals, so that they are delivered here and no handler runs.
    ///
    /// The signals are blocked in the calling thread and in threads that it starts afterward, so
    /// create the source before any other thread. They stay blocked after the source is destroyed.
    /// Traps if `signals` is empty.
    ///
    /// - Throws: See signalfd(2).
    public init(blocking signals: [Signal]) throws(Errno) {
        precondition(!signals.isEmpty, "the list of signals must not be empty")
        self.signals = try SignalDescriptor(blocking: signals.map(\.rawValue))
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
