internal import Synchronization
package import SystemPackage
package import Verypoll

/// The beginnings and ends of sessions, and the pauses of listeners, on their way from the workers
/// to those who monitor them.
///
/// No worker waits: where events come faster than they are taken, they are counted as lost.
package final class SessionEvents: Sendable {
    /// The most events that wait.
    package static let limit = 4096

    /// Something has happened on a worker.
    package struct Event: Sendable {
        package enum Content: Sendable {
            /// A session has begun, or has ended for a reason.
            case session(SessionSnapshot, reason: String?)
            /// A worker does not accept on a listener for a reason, or does again.
            case pause(PauseReason, worker: Int, listener: String)
        }

        package let content: Content
        /// In microseconds since 1970.
        package let timestamp: Int
    }

    /// What has gathered.
    package struct Gathered {
        package var events: [Event] = []
        /// How many more there were.
        package var lostCount = 0
    }

    private let gathered = Mutex(Gathered())
    private let waker: Waker
    private let wanted = Atomic(false)

    /// Makes the way to whoever polls `registry`; its wake-ups carry `token`.
    package init(registry: borrowing Registry, token: Token) throws(Errno) {
        waker = try Waker(registry: registry, token: token)
    }

    /// Whether somebody wants to hear of them; else they are not to be made.
    package var areWanted: Bool {
        get { wanted.load(ordering: .relaxed) }
        set { wanted.store(newValue, ordering: .relaxed) }
    }

    /// Leaves an event, or counts it as lost.
    package func post(_ event: Event) {
        let isFirst = gathered.withLock { gathered in
            guard gathered.events.count < Self.limit else {
                gathered.lostCount += 1
                return false
            }
            gathered.events.append(event)
            return gathered.events.count == 1
        }
        // As in a mailbox, this fails only where the eventfd is gone.
        if isFirst { try? waker.wake() }
    }

    /// Takes what has gathered, in the order it came; what was lost came after that.
    package func takeAll() -> Gathered {
        gathered.withLock { gathered in
            defer { gathered = Gathered() }
            return gathered
        }
    }
}
