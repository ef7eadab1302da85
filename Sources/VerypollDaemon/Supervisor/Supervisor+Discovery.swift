internal import Logging
internal import SystemPackage
internal import VerypollConfiguration
internal import VerypollControl
internal import VerypollServer

// Asks for the servers of services, and puts them into effect.

extension Supervisor {
    /// The time of the next question; `nil` if none is due, or once the daemon stops.
    var discoveryDueAt: ContinuousClock.Instant? {
        lifecycle.isStopping ? nil : discovery.deadline
    }

    /// Asks the questions that are due, and puts new servers into effect.
    ///
    /// Each question blocks a thread of its own.
    func tickDiscovery(_ now: ContinuousClock.Instant) {
        while !lifecycle.isStopping, let question = discovery.takeQuestion(now: now) {
            do throws(Errno) {
                let thread = try Thread(name: "resolver") { [mailbox = inbox.mailbox] in
                    let result = ServiceLookup.answer(for: question.name)
                    // The number of questions at a time is limited.
                    mailbox.postBeyondLimit(.serviceAnswered(question, result))
                }
                thread.detach()
            } catch {
                noteAnswer(.failure(.noThread(error)), to: question, now: now)
            }
        }
        applyDiscovery()
    }

    /// Notes the answer to a question.
    func noteAnswer(
        _ result: Result<ServiceAnswer, NameLookupFailure>,
        to question: Discovery.Question,
        now: ContinuousClock.Instant = .now
    ) {
        guard let news = discovery.note(result, to: question, now: now) else { return }
        let message: Logger.Message = "\(news.message)"
        let metadata: Logger.Metadata = [
            "upstream": "\(news.upstream)", "service": "\(news.service)",
        ]
        let level = news.level
        switch news.kind {
        case .serviceFound: logger.log(level: level, .serviceFound, message, metadata: metadata)
        case .serviceNotOffered:
            logger.log(level: level, .serviceNotOffered, message, metadata: metadata)
        default: logger.log(level: level, .serviceNotFound, message, metadata: metadata)
        }
    }

    /// Puts the servers of the last answers into effect.
    ///
    /// The upstreams keep their slots and the servers their indices. Indices may only be reused
    /// once all workers have adopted the former snapshot, so a change waits for the one before.
    private func applyDiscovery() {
        guard discovery.hasChanged, changes.current == nil, changes.rollouts.isEmpty,
            lifecycle.isRunning
        else { return }
        discovery.noteApplied()
        let next = discovery.effective(loaded.configuration)
        guard live.replaceServers(next) else { return }
        let leaving = live.removeServers()
        let returning = live.returningServers
        live.applyLimits()
        let ordered = applyOrders(loaded.configuration)
        upstreamMonitor.adopt(live.snapshot.upstreams, slots: live.upstreams.map(\.slot))
        rollOut(.discovery)
        // After the snapshot, so that no session chooses a removed server any more.
        if !leaving.isEmpty { workers.post(.serversDown(leaving)) }
        if !returning.isEmpty { workers.post(.serversUp(returning)) }
        for (server, former) in ordered { tellOfOrder(server, former: former) }
    }
}

// MARK: Status

extension Supervisor {
    /// Returns the services of an upstream; `nil` if it has none.
    func services(of upstream: Status.Upstream) -> [Status.Service]? {
        let own = discovery.services.filter { $0.upstream == upstream.name }
        guard !own.isEmpty else { return nil }
        let (now, timestamp) = (ContinuousClock.now, WallClock.microseconds())
        return own.map { service in
            Status.Service(
                name: service.name,
                servers: upstream.servers.count { $0.srv == service.name },
                answerTimestampUSec: service.answeredAt.map {
                    timestamp - Int((now - $0) / .microseconds(1))
                },
                isNotOffered: service.answer?.isNotOffered ?? false,
                failure: service.failure?.description,
                failures: service.failureCount
            )
        }
    }

    /// The metrics of all services.
    func serviceMetrics() -> [MetricsSnapshot.Service] {
        let now = ContinuousClock.now
        return discovery.services.map { service in
            MetricsSnapshot.Service(
                upstream: service.upstream,
                name: service.name,
                age: service.answeredAt.map { UInt64(max(0, (now - $0) / .microseconds(1))) },
                servers: service.serverCount,
                failures: UInt64(service.failureCount)
            )
        }
    }
}

extension Lifecycle {
    /// Whether the daemon drains or stops.
    var isStopping: Bool {
        switch phase {
        case .starting, .running: false
        case .draining, .stopping: true
        }
    }
}
