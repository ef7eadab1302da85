package import Logging
package import SystemPackage
internal import Verypoll

/// The workers from the supervisor's point of view: their mailboxes and counters.
package struct WorkerPool {
    package let mailboxes: [Mailbox<WorkerMessage>]
    package let counters: [WorkerCounters]
    /// Counts the sessions of all workers.
    package let totalLimiter: SessionLimiter
    /// Descriptors to lend when sessions use all others.
    package let descriptors: DescriptorReserve
    private let threads: [Thread]

    /// The number of workers.
    package var count: Int { mailboxes.count }

    /// The initial values for a worker's thread.
    private struct Seed: ~Copyable, Sendable {
        let context: WorkerContext
        let poll: Poll
        let snapshot: WorkerSnapshot
    }

    /// Starts the threads; each reports `prepared` to the supervisor and then waits for `begin`.
    package init(
        _ snapshot: WorkerSnapshot,
        count: Int,
        capacity: Int,
        totalLimiter: SessionLimiter,
        descriptors: DescriptorReserve,
        supervisor: Mailbox<WorkerReport>,
        sessionEvents: SessionEvents,
        logger: Logger
    ) throws(Errno) {
        let indices = 0..<count
        var polls: [TransferBox<Poll>] = []
        var mailboxes: [Mailbox<WorkerMessage>] = []
        for _ in indices {
            let poll = try Poll()
            mailboxes.append(try Mailbox(registry: poll.registry, token: Worker.Tokens.mailbox))
            polls.append(TransferBox(poll))
        }
        self.mailboxes = mailboxes
        self.totalLimiter = totalLimiter
        self.descriptors = descriptors
        counters = indices.map { _ in WorkerCounters() }
        var threads: [Thread] = []
        let ownConnections = OwnConnections()
        for index in indices {
            guard let poll = polls[index].take() else { continue }
            let context = WorkerContext(
                index: index,
                workerCount: count,
                capacity: capacity,
                totalLimiter: totalLimiter,
                counters: counters[index],
                mailboxes: mailboxes,
                supervisor: supervisor,
                descriptors: descriptors,
                sessionEvents: sessionEvents,
                logger: logger,
                ownConnections: ownConnections
            )
            let seed = TransferBox(Seed(context: context, poll: poll, snapshot: snapshot))
            threads.append(try Thread(name: "worker/\(index)") { Self.work(seed) })
        }
        self.threads = threads
    }

    /// Queues a message for every worker.
    package func post(_ message: WorkerMessage) {
        for mailbox in mailboxes { mailbox.post(message) }
    }

    /// Queues a message for every worker whose mailbox does not hold an equal one.
    package func postOnce(_ message: WorkerMessage) {
        for mailbox in mailboxes { mailbox.postOnce(message) }
    }

    /// Waits for the threads to end; call this after each has reported `ended`.
    package func join() {
        for thread in threads { thread.join() }
    }

    /// Makes a worker and consumes the seed, whose references would keep sockets open that the
    /// worker has closed.
    private static func makeWorker(_ seed: consuming Seed) -> Worker {
        Worker(seed.context, poll: seed.poll, snapshot: seed.snapshot)
    }

    /// The body of a worker's thread.
    private static func work(_ handoff: TransferBox<Seed>) {
        guard let seed = handoff.take() else { return }
        let supervisor = seed.context.supervisor
        do throws(Errno) {
            var worker = makeWorker(seed)
            supervisor.post(.prepared)
            try worker.run()
        } catch {
            supervisor.post(.failed(error))
        }
    }
}
