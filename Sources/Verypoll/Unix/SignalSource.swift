#if OSExt
public import SystemPackage

/// Signals as a source: readable while one of them is pending.
///
/// Signals of the same number that come before they are read are merged into one, as ever.
public struct SignalSource: ~Copyable, Sendable, DescriptorSource {
    private let signals: SignalDescriptor

    /// The signalfd's descriptor.
    public var fileDescriptor: FileDescriptor { signals.fileDescriptor }

    /// Blocks the signals, so that they come here and run no handler.
    ///
    /// They are blocked for the calling thread and the threads that it starts from now on, so make
    /// it before the first other thread. They stay blocked when this value is gone.
    ///
    /// - Throws: See signalfd(2).
    public init(blocking signals: [Signal]) throws(Errno) {
        precondition(!signals.isEmpty, "no signal to wait for")
        self.signals = try SignalDescriptor(blocking: signals.map(\.rawValue))
    }

    /// Takes the next pending signal.
    ///
    /// - Returns: The signal, or `nil` if none is pending.
    /// - Throws: See read(2).
    public func next() throws(Errno) -> Signal? {
        try signals.next().map(Signal.init(rawValue:))
    }
}
#endif
