#if Net && OSExt
internal import Logging
internal import SystemPackage
internal import Verypoll

/// The workers as the supervisor sees them: their mailboxes and counters.
struct WorkerPool {
    let mailboxes: [Mailbox<WorkerMessage>]
    let counters: [WorkerCounters]
    /// The counters of a listener, one for each worker.
    let listenerCounters: [[ListenerCounters]]
    private let threads: [Thread]

    /// How many workers there are.
    var count: Int { mailboxes.count }

    /// What the threads are given to begin with.
    private struct Seed: ~Copyable, Sendable {
        let context: WorkerContext
        let poll: Poll
        let doors: [Door]
    }

    /// Starts the threads; each tells the supervisor when it accepts.
    init(
        _ configuration: Configuration,
        opened: [OpenedListener],
        upstreams: [Upstream],
        totalGate: SessionGate,
        supervisor: Mailbox<SupervisorMessage>,
        logger: Logger
    ) throws(Errno) {
        let indices = 0..<configuration.workers
        var polls: [Handoff<Poll>] = []
        var mailboxes: [Mailbox<WorkerMessage>] = []
        for _ in indices {
            let poll = try Poll()
            mailboxes.append(try Mailbox(registry: poll.registry, token: Worker.Tokens.mailbox))
            polls.append(Handoff(poll))
        }
        self.mailboxes = mailboxes
        counters = indices.map { _ in WorkerCounters() }
        listenerCounters = opened.map { _ in indices.map { _ in ListenerCounters() } }
        var threads: [Thread] = []
        for index in indices {
            guard let poll = polls[index].take() else { continue }
            let context = WorkerContext(
                index: index,
                workerCount: configuration.workers,
                listeners: opened.map(\.listener),
                upstreams: upstreams,
                pipeLimit: configuration.limits.pipesPerWorker,
                drainDeadline: configuration.drain.deadline.milliseconds,
                totalGate: totalGate,
                listenerCounters: listenerCounters.map { $0[index] },
                counters: counters[index],
                mailboxes: mailboxes,
                supervisor: supervisor,
                logger: logger,
                logsSessions: configuration.log.sessions
            )
            let doors = Self.doors(of: opened, for: index)
            let seed = Handoff(Seed(context: context, poll: poll, doors: doors))
            threads.append(try Thread(name: "worker/\(index)") { Self.work(seed) })
        }
        self.threads = threads
    }

    /// Leaves the same message with every worker.
    func post(_ message: WorkerMessage) {
        for mailbox in mailboxes { mailbox.post(message) }
    }

    /// Leaves a message with every worker that does not have the same one already.
    func postOnce(_ message: WorkerMessage) {
        for mailbox in mailboxes { mailbox.postOnce(message) }
    }

    /// Waits for the threads, each of which has said that it ends.
    func join() {
        for thread in threads { thread.join() }
    }

    private static func doors(of opened: [OpenedListener], for worker: Int) -> [Door] {
        opened.enumerated().flatMap { listener, opened in
            opened.sockets
                .filter { ($0.worker ?? worker) == worker }
                .map { Door(listener: listener, socket: $0) }
        }
    }

    /// Makes a worker, and leaves its sockets to it alone, as they close with the last reference.
    private static func makeWorker(_ seed: consuming Seed) throws(Errno) -> Worker {
        try Worker(seed.context, poll: seed.poll, doors: seed.doors)
    }

    /// The whole life of a worker's thread.
    private static func work(_ handoff: Handoff<Seed>) {
        guard let seed = handoff.take() else { return }
        let supervisor = seed.context.supervisor
        do throws(Errno) {
            var worker = try makeWorker(seed)
            supervisor.post(.started)
            try worker.run()
        } catch {
            supervisor.post(.failed(error))
        }
    }
}
#endif
