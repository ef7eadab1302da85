public import SystemPackage
public import Verypoll

/// The two ends of a new pipe, both of a ``PollExecutor``; see pipe(7).
@frozen public struct AsyncPipe: ~Copyable, Sendable {
    /// The writing end.
    public let sender: Sender
    /// The reading end.
    public let receiver: Receiver

    /// Creates a pipe.
    ///
    /// - Throws: `Errno.tooManyOpenFiles` at the limit of the process or of the executor.
    public init(on executor: PollExecutor) throws(Errno) {
        let pipe = try UnixPipe()
        let sender = try Sender(pipe.sender, on: executor)
        let receiver = try Receiver(pipe.receiver, on: executor)
        self.sender = sender
        self.receiver = receiver
    }

    /// The writing end of a pipe or FIFO, closed when it goes out of scope.
    public struct Sender: ~Copyable, AsyncByteWriter {
        /// The end itself, for calls that do not wait.
        public let end: UnixPipe.Sender
        private let registration: Registration

        public var handle: SourceHandle { registration.handle }

        /// Adds the writing end of a pipe to an executor.
        ///
        /// - Throws: `Errno.tooManyOpenFiles` if the executor is at its limit of sources. The end
        ///   is closed then.
        public init(_ end: consuming UnixPipe.Sender, on executor: PollExecutor) throws(Errno) {
            registration = try Registration(end, .pipe, interest: .writable, on: executor)
            self.end = end
        }

        /// Removes the end from its executor, and returns it open.
        public consuming func release() -> UnixPipe.Sender {
            handle.deregister()
            return end
        }
    }

    /// The reading end of a pipe or FIFO, closed when it goes out of scope.
    public struct Receiver: ~Copyable, AsyncByteReader {
        /// The end itself, for calls that do not wait.
        public let end: UnixPipe.Receiver
        private let registration: Registration

        public var handle: SourceHandle { registration.handle }

        /// Adds the reading end of a pipe to an executor.
        ///
        /// - Throws: `Errno.tooManyOpenFiles` if the executor is at its limit of sources. The end
        ///   is closed then.
        public init(_ end: consuming UnixPipe.Receiver, on executor: PollExecutor) throws(Errno) {
            registration = try Registration(end, .pipe, on: executor)
            self.end = end
        }

        /// Removes the end from its executor, and returns it open.
        public consuming func release() -> UnixPipe.Receiver {
            handle.deregister()
            return end
        }
    }
}
