internal import Synchronization
package import SystemPackage
package import Verypoll

/// A queue of session and listener events from the workers to the clients that monitor the daemon.
///
/// Workers never wait for room: when the queue is full, further events are only counted.
package final class SessionEvents: Sendable {
    /// The most events in the queue.
    package static let limit = 4096

    /// An event on a worker.
    package struct Event: Sendable {
        package enum Content: Sendable {
            /// A session has begun, or has ended for this reason.
            case session(SessionSnapshot, reason: String?)
            /// A worker has paused a listener for this reason, or accepts on it again.
            case pause(PauseReason, worker: Int, listener: String)
        }

        package let content: Content
        /// The time in microseconds since 1970.
        package let timestamp: Int
    }

    /// The contents of the queue.
    package struct Gathered {
        package var events: [Event] = []
        /// The number of events that did not fit.
        package var lostCount = 0
    }

    private let gathered = Mutex(Gathered())
    private let waker: Waker
    private let wanted = Atomic(false)
    private let pausesWanted = Atomic(false)

    /// Makes the queue of the thread that polls `registry`; its wake-ups carry `token`.
    package init(registry: borrowing Registry, token: Token) throws(Errno) {
        waker = try Waker(registry: registry, token: token)
    }

    /// Whether a client monitors the daemon; workers post events only then.
    package var areWanted: Bool {
        get { wanted.load(ordering: .relaxed) }
        set { wanted.store(newValue, ordering: .relaxed) }
    }

    /// Whether pauses are collected although no client monitors the daemon.
    package var arePausesWanted: Bool {
        get { pausesWanted.load(ordering: .relaxed) }
        set { pausesWanted.store(newValue, ordering: .relaxed) }
    }

    /// Queues an event, or counts it as lost if the queue is full.
    package func post(_ event: Event) {
        let isFirst = gathered.withLock { gathered in
            guard gathered.events.count < Self.limit else {
                gathered.lostCount += 1
                return false
            }
            gathered.events.append(event)
            return gathered.events.count == 1
        }
        // As in a mailbox, a wake-up fails only if the eventfd is closed.
        if isFirst { try? waker.wake() }
    }

    /// Removes and returns the contents; the lost events came after the last queued one.
    package func takeAll() -> Gathered {
        gathered.withLock { gathered in
            defer { gathered = Gathered() }
            return gathered
        }
    }
}
