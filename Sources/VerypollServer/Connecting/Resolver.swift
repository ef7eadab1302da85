package import Logging
internal import SystemPackage
package import Verypoll
internal import VerypollConfiguration

/// Looks up servers that are configured by name, and keeps their addresses up to date.
///
/// The resolver runs on the supervisor's thread and never blocks. Each lookup has its own thread,
/// which posts its answer to a mailbox and ends. At most ``threadLimit`` lookups run at a time, so
/// that a slow name does not delay the others. The threads are detached, and each one retains the
/// objects that it uses.
package struct Resolver {
    /// The most lookups at a time.
    static let threadLimit = 4

    /// The time from a failure to the next attempt; it doubles with each failure, up to the
    /// upstream's interval.
    static let firstRetryDelay = Duration.seconds(1)

    /// Looks up a name and waits for the answer.
    package typealias Lookup =
        @Sendable (_ host: String, _ port: UInt16) -> Result<[SocketAddress], NameLookupFailure>

    /// The result of a lookup.
    package struct Answer: Sendable {
        fileprivate let name: Int
        fileprivate let result: Result<[SocketAddress], NameLookupFailure>
    }

    /// The name of a server, and the state of its lookups.
    private struct Name {
        package let number: Int
        package var server: ServerIndex
        let host: String
        package let port: UInt16
        package var interval: Duration
        /// The time of the next lookup; `nil` while one is in progress.
        package var dueAt: ContinuousClock.Instant?
        var retryDelay = Resolver.firstRetryDelay
        package var failure: NameLookupFailure?
    }

    private var upstreams: [Upstream] = []
    private let answers: Mailbox<Answer>
    private let lookup: Lookup
    private let logger: Logger
    private var names: [Name] = []
    /// The indices of the servers in `names`.
    private var places: [ServerIndex: Int] = [:]
    private var lastNumber = 0
    private var running = 0

    /// Makes a resolver whose first lookups are due now.
    ///
    /// - Parameters:
    ///   - upstreams: The upstreams whose servers are looked up.
    ///   - answers: The mailbox for the threads' answers; call ``takeAnswers(now:)`` when it has
    ///     one.
    ///   - now: The current time.
    ///   - logger: Logs changes.
    ///   - lookup: Asks the name service.
    package init(
        _ upstreams: [Upstream],
        answers: Mailbox<Answer>,
        now: ContinuousClock.Instant,
        logger: Logger,
        lookup: @escaping Lookup = NameLookup.addresses
    ) {
        self.answers = answers
        self.lookup = lookup
        self.logger = logger
        adopt(upstreams, slots: Array(upstreams.indices), now: now)
    }

    /// Replaces the upstreams, and keeps the state of servers that remain.
    package mutating func adopt(_ upstreams: [Upstream], slots: [Int], now: ContinuousClock.Instant)
    {
        let former = self.upstreams.byServer(names.map { ($0.server, $0) })
        names = []
        for index in upstreams.serverIndices(in: slots) {
            let server = upstreams[index]
            guard case .host(let host, let port) = server.target else { continue }
            let interval = upstreams[index.upstream].configuration.resolve.interval
            if var name = former[ObjectIdentifier(server)] {
                name.server = index
                name.interval = interval
                name.dueAt = name.dueAt.map { min($0, now + interval) }
                names.append(name)
                continue
            }
            lastNumber += 1
            names.append(
                Name(
                    number: lastNumber,
                    server: index,
                    host: host,
                    port: port,
                    interval: interval,
                    dueAt: now
                )
            )
        }
        self.upstreams = upstreams
        places = Dictionary(
            names.indices.map { (names[$0].server, $0) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    /// The time at which ``tick(now:)`` must be called; `nil` while only answers are awaited.
    package var deadline: ContinuousClock.Instant? {
        running < Self.threadLimit ? names.compactMap(\.dueAt).min() : nil
    }

    /// Returns why the last lookup of a server's name failed; `nil` if it succeeded.
    package func failure(of server: ServerIndex) -> NameLookupFailure? {
        places[server].flatMap { names[$0].failure }
    }

    /// Starts the lookups that are due, the most overdue first.
    package mutating func tick(now: ContinuousClock.Instant) {
        while let due = deadline, due <= now {
            guard let index = names.firstIndex(where: { $0.dueAt == due }) else { return }
            start(index, now: now)
        }
    }

    /// Applies the answers of the threads.
    ///
    /// - Returns: The servers that sessions may be waiting for: those that got their first answer,
    ///   even if it is a failure, and those that now have their first address.
    package mutating func takeAnswers(now: ContinuousClock.Instant) -> [ServerIndex] {
        answers.takeAll().compactMap { answer in
            running -= 1
            // The server may have been removed.
            guard let index = names.firstIndex(where: { $0.number == answer.name }) else {
                return nil
            }
            return finish(index, answer.result, now: now) ? names[index].server : nil
        }
    }

    private mutating func start(_ index: Int, now: ContinuousClock.Instant) {
        let name = names[index]
        do throws(Errno) {
            let thread = try Thread(name: "resolver") { [answers, lookup] in
                let result = lookup(name.host, name.port)
                answers.post(Answer(name: name.number, result: result))
            }
            thread.detach()
            names[index].dueAt = nil
            running += 1
        } catch {
            fail(index, NameLookupFailure(reason: "cannot start a thread: \(error)"), now: now)
        }
    }

    private mutating func finish(
        _ index: Int,
        _ result: Result<[SocketAddress], NameLookupFailure>,
        now: ContinuousClock.Instant
    ) -> Bool {
        let server = server(of: names[index])
        let isAwaited = server.awaitsName
        let isUnresolved = server.isUnresolved
        switch result {
        case .success(let found):
            succeed(index, found.map { .tcp($0) }, now: now)
            return isAwaited || isUnresolved
        case .failure(let failure):
            server.resolve(to: [])
            fail(index, failure, now: now)
            return isAwaited
        }
    }

    private mutating func succeed(
        _ index: Int,
        _ found: [ServerAddress],
        now: ContinuousClock.Instant
    ) {
        let server = server(of: names[index])
        let known = server.addresses
        server.resolve(to: found)
        // Name servers rotate the order from answer to answer, which is not a change.
        if Set(known) != Set(found) {
            let list = found.map(\.description).joined(separator: ", ")
            let old = known.map(\.description).joined(separator: ", ")
            logger.info(
                .serverFound,
                "\(title(index)) is at \(list)\(old.isEmpty ? "" : ", and no longer at \(old)")",
                metadata: metadata(index)
            )
        } else if names[index].failure != nil {
            logger.info(
                .serverFound,
                "\(title(index)) is found again",
                metadata: metadata(index)
            )
        }
        names[index].failure = nil
        names[index].retryDelay = Self.firstRetryDelay
        names[index].dueAt = now + names[index].interval
    }

    private mutating func fail(
        _ index: Int,
        _ failure: NameLookupFailure,
        now: ContinuousClock.Instant
    ) {
        let name = names[index]
        if name.failure != failure {
            let server = server(of: name)
            let rest = server.isUnresolved ? "" : "; its last addresses are kept"
            logger.warning(
                .serverNotFound,
                "\(title(index)) is not found: \(failure)\(rest)",
                metadata: metadata(index)
            )
        }
        names[index].failure = failure
        names[index].dueAt = now + min(name.retryDelay, name.interval)
        names[index].retryDelay = min(name.retryDelay * 2, name.interval)
    }

    private func server(of name: Name) -> UpstreamServer { upstreams[name.server] }

    private func title(_ index: Int) -> String { upstreams.name(of: names[index].server) }

    private func metadata(_ index: Int) -> Logger.Metadata {
        upstreams.metadata(of: names[index].server)
    }
}
