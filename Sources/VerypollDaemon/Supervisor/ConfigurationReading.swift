internal import Synchronization
internal import SystemPackage
internal import VerypollConfiguration
internal import VerypollControl
internal import VerypollServer

/// A configuration that was read and checked, and what it changes.
struct NextConfiguration: Sendable {
    let loaded: LoadedConfiguration
    let changes: [ConfigurationChange]
}

/// The reading and checking of the configuration's file, on a thread of its own.
///
/// A file system that hangs may hold the thread up without end; then the reading is given up, and
/// the thread ends when the file system lets it.
final class ConfigurationReading: Sendable {
    /// The longest that reading the file may take.
    static let limit = Duration.seconds(10)

    /// The message that a reading posts at its end, unless it was given up.
    typealias Outcome = Result<NextConfiguration, ConfigurationError>

    private enum State {
        case reading
        case checking
        case abandoned
    }

    private let state = Mutex(State.reading)

    /// Starts a thread that reads the file which takes the place of `present`.
    ///
    /// - Parameters:
    ///   - present: The configuration that is in effect.
    ///   - descriptors: What the file is read with if the process has no other descriptor.
    ///   - supervisor: Gets `configurationRead`, or `readingEnded` if it was given up.
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
                return NextConfiguration(loaded: next, changes: changes)
            }
        }
    }

    /// Starts a thread for `read`, which calls its argument once it has read the file.
    init(
        supervisor: Mailbox<SupervisorMessage>,
        read: @escaping @Sendable (_ hasRead: () -> Void) -> Outcome
    ) throws(Errno) {
        try Thread(name: "reload") { [self] in
            let outcome = read {
                state.withLock { if $0 == .reading { $0 = .checking } }
            }
            let isAbandoned = state.withLock { $0 == .abandoned }
            supervisor.postWhenRoom(isAbandoned ? .readingEnded : .configurationRead(outcome))
        }.detach()
    }

    /// Gives the reading up.
    ///
    /// - Returns: Whether the file was not read yet; else the outcome comes soon.
    func abandon() -> Bool {
        state.withLock { state in
            guard state == .reading else { return false }
            state = .abandoned
            return true
        }
    }
}
