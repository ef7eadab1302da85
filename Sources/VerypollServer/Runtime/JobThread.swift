internal import Synchronization
package import SystemPackage
internal import Verypoll

/// A thread that runs jobs one at a time, until the process ends.
package final class JobThread: Sendable {
    /// A function for the thread to run.
    package typealias Job = @Sendable () -> Void

    private let mailbox: Mailbox<Job>

    /// Starts the thread.
    ///
    /// - Throws: See epoll_create1(2), eventfd(2) and pthread_create(3).
    package init(name: String) throws(Errno) {
        let poll = try Poll()
        let mailbox = try Mailbox<Job>(registry: poll.registry, token: Token(0))
        self.mailbox = mailbox
        let handoff = TransferBox(poll)
        try Thread(name: name) {
            guard let poll = handoff.take() else { return }
            Self.work(poll, mailbox)
        }.detach()
    }

    /// Queues a job.
    ///
    /// - Returns: Whether the queue had room for it.
    package func add(_ job: @escaping Job) -> Bool { mailbox.post(job) }

    private static func work(_ poll: consuming Poll, _ mailbox: Mailbox<Job>) {
        var poll = poll
        var events = Events(capacity: 1)
        while true {
            for job in mailbox.takeAll() { job() }
            // A poll fails only if its descriptors are closed, and they live as long as the thread.
            guard (try? poll.poll(&events)) != nil else { return }
        }
    }
}
