public import SystemPackage
public import Verypoll

/// The signals that arrive for the process, as an asynchronous sequence.
///
/// ```swift
/// try PollExecutor.run { executor in
///     let signals = try AsyncSignals([.terminate, .interrupt], on: executor)
///     for try await signal in signals { print("got signal \(signal.rawValue)") }
/// }
/// ```
///
/// Create it before any other thread starts: the signals are blocked in the calling thread and in
/// the threads that it starts afterward, and other threads would still run their default action.
/// One task at a time may wait for a signal.
public final class AsyncSignals: AsyncSequence, Sendable {
    public typealias Element = Signal
    public typealias Failure = Errno

    private let source: SignalSource
    private let registration: Registration

    /// Blocks the signals, so that they are delivered here.
    ///
    /// - Parameters:
    ///   - signals: The signals, at least one. Traps for signals that cannot be caught.
    ///   - executor: The executor that waits for them.
    /// - Throws: `Errno.tooManyOpenFiles` at the limit of the process or of the executor. See
    ///   signalfd(2).
    public init(_ signals: [Signal], on executor: PollExecutor) throws(Errno) {
        let source = try SignalSource(blocking: signals)
        registration = try Registration(source, .signals, on: executor)
        self.source = source
    }

    /// Waits for the next signal.
    ///
    /// Signals with the same number that arrive before the first is read are merged into one.
    ///
    /// - Parameter deadline: When to stop waiting.
    /// - Returns: The signal.
    /// - Throws: `Errno.canceled` or `Errno.deadlineExceeded`.
    public func next(until deadline: Deadline = .never) async throws(Errno) -> Signal {
        try await registration.handle.perform(.read, until: deadline) { () throws(Errno) in
            try source.next()
        }
    }

    public func makeAsyncIterator() -> Iterator { Iterator(signals: self) }

    /// Waits for one signal after another; the sequence ends only by an error.
    public struct Iterator: AsyncIteratorProtocol {
        let signals: AsyncSignals

        public mutating func next(
            isolation actor: isolated (any Actor)? = #isolation
        ) async throws(Errno) -> Signal? {
            try await signals.next()
        }
    }
}
