package import Logging
package import SystemPackage
internal import Verypoll

/// The workers as the supervisor sees them: their mailboxes and counters.
package struct WorkerPool {
    package let mailboxes: [Mailbox<WorkerMessage>]
    package let counters: [WorkerCounters]
    /// Counts the sessions of all workers.
    package let totalLimiter: SessionLimiter
    /// Descriptors to lend while sessions have all others.
    package let descriptors: DescriptorReserve
    private let threads: [Thread]

    /// How many workers there are.
    package var count: Int { mailboxes.count }

    /// What the threads are given to begin with.
    private struct Seed: ~Copyable, Sendable {
        let context: WorkerContext
        let poll: Poll
        let snapshot: WorkerSnapshot
    }

    /// Starts the threads; each tells the supervisor when it is prepared, and then waits.
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

    /// Leaves the same message with every worker.
    package func post(_ message: WorkerMessage) {
        for mailbox in mailboxes { mailbox.post(message) }
    }

    /// Leaves a message with every worker that does not have the same one already.
    package func postOnce(_ message: WorkerMessage) {
        for mailbox in mailboxes { mailbox.postOnce(message) }
    }

    /// Waits for the threads, each of which has said that it ends.
    package func join() {
        for thread in threads { thread.join() }
    }

    /// Makes a worker, and leaves its sockets to it alone, as they close with the last reference.
    private static func makeWorker(_ seed: consuming Seed) -> Worker {
        Worker(seed.context, poll: seed.poll, snapshot: seed.snapshot)
    }

    /// The whole life of a worker's thread.
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
