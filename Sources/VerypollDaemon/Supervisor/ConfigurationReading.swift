internal import Synchronization
internal import SystemPackage
internal import VerypollConfiguration
internal import VerypollControl
internal import VerypollServer

/// A configuration that was read and checked, and its changes.
struct NextConfiguration: Sendable {
    let loaded: LoadedConfiguration
    let changes: [ConfigurationChange]
    /// The hash of the configuration.
    let hash: String
}

/// Reads and checks the configuration file on a thread of its own.
///
/// If the file system hangs, it may block the thread indefinitely. The reading is then abandoned,
/// and the thread ends once the file system responds.
final class ConfigurationReading: Sendable {
    /// The longest time that reading the file may take.
    static let limit = Duration.seconds(10)

    /// The outcome that a reading posts at its end, unless it was abandoned.
    typealias Outcome = Result<NextConfiguration, ConfigurationError>

    private enum State {
        case reading
        case checking
        case abandoned
    }

    private let state = Mutex(State.reading)

    /// Starts a thread that reads the configuration to replace `present`.
    ///
    /// - Parameters:
    ///   - present: The configuration that is in effect.
    ///   - descriptors: A reserve with a descriptor for the file, used when the process has no
    ///     others left.
    ///   - supervisor: The mailbox that receives `configurationRead`, or `readingEnded` if the
    ///     reading was abandoned.
    /// - Throws: See pthread_create(3).
    convenience init(
        after present: LoadedConfiguration,
        descriptors: DescriptorReserve,
        supervisor: Mailbox<SupervisorMessage>
    ) throws(Errno) {
        try self.init(supervisor: supervisor) { hasRead in
            Result { () throws(ConfigurationError) in
                let next = try present.next(
                    attempt: { open throws(Errno) in try descriptors.attempt(open) },
                    hasRead: hasRead
                )
                let changes = present.configuration.changes(to: next.configuration)
                return NextConfiguration(
                    loaded: next,
                    changes: changes,
                    hash: next.configuration.hash
                )
            }
        }
    }

    /// Starts a thread that runs `read`, which calls its argument once it has read the file.
    init(
        supervisor: Mailbox<SupervisorMessage>,
        read: @escaping @Sendable (_ hasRead: () -> Void) -> Outcome
    ) throws(Errno) {
        try Thread(name: "reload") { [self] in
            let outcome = read {
                state.withLock { if $0 == .reading { $0 = .checking } }
            }
            let isAbandoned = state.withLock { $0 == .abandoned }
            // One reading runs at a time.
            supervisor.postBeyondLimit(isAbandoned ? .readingEnded : .configurationRead(outcome))
        }.detach()
    }

    /// Abandons the reading, unless the file has already been read.
    ///
    /// - Returns: Whether the reading was abandoned. If not, its outcome follows soon.
    func abandon() -> Bool {
        state.withLock { state in
            guard state == .reading else { return false }
            state = .abandoned
            return true
        }
    }
}
