internal import Verypoll
package import VerypollConfiguration

// How services find servers.
//
// The discovery decides and the supervisor acts. It asks for each service of each upstream, and
// asks again when the answer has expired or, after a failure, after a growing pause. The last good
// answer stays in effect as long as questions fail. The servers of all good answers are added to
// the configuration of the file; when that result changes, the supervisor replaces the upstreams.

/// The services of all upstreams, and their last good answers; performs no I/O.
package struct Discovery: Sendable {
    /// The most questions at a time.
    static let questionLimit = 4

    /// The most servers of a service, the most preferred first.
    static let serverLimit = 1024

    /// The time from a failure to the next question; it doubles with each failure, up to `atMost`.
    static let firstRetryDelay = Duration.seconds(1)

    /// The longest time from a failure to the next question as long as there is no answer: sessions
    /// wait for it.
    static let longestFirstDelay = Duration.seconds(5)

    /// A service, and the state of its questions.
    package struct Service: Sendable {
        fileprivate let number: Int
        package let upstream: String
        package let name: String
        fileprivate var resolve: UpstreamConfiguration.Resolve
        /// The last good answer.
        package fileprivate(set) var answer: ServiceAnswer?
        /// The time of the last good answer.
        package fileprivate(set) var answeredAt: ContinuousClock.Instant?
        /// The reason why the last question failed; `nil` if it did not.
        package fileprivate(set) var failure: NameLookupFailure?
        /// The failed questions since the start.
        package fileprivate(set) var failureCount = 0
        /// The time of the next question; `nil` while one is asked.
        fileprivate var dueAt: ContinuousClock.Instant?
        fileprivate var retryDelay = Discovery.firstRetryDelay

        /// The number of servers that the last good answer has named.
        package var serverCount: Int {
            let count = answer?.records.reduce(0) { $0 + $1.addresses.count } ?? 0
            return min(count, Discovery.serverLimit)
        }
    }

    /// A question to ask.
    package struct Question: Equatable, Sendable {
        fileprivate let number: Int
        package let name: String
    }

    package private(set) var services: [Service] = []
    /// Whether ``effective(_:)`` may have another result than before.
    package private(set) var hasChanged = false
    /// The servers of restored sessions, by upstream, until all services have answered.
    private var provisional: [String: [ServerAddress]] = [:]
    private var lastNumber = 0
    private var askedCount = 0

    /// Makes a discovery whose first questions are due now.
    ///
    /// - Parameters:
    ///   - configuration: The configuration of the file.
    ///   - restored: The servers of the previous process's sessions, by upstream.
    ///   - now: The current time.
    package init(
        _ configuration: Configuration,
        restored: [String: [ServerAddress]] = [:],
        now: ContinuousClock.Instant
    ) {
        provisional = restored
        adopt(configuration, now: now)
        hasChanged = false
    }

    /// Adopts another configuration, and keeps the state of services that remain.
    package mutating func adopt(_ configuration: Configuration, now: ContinuousClock.Instant) {
        let former = services
        services = []
        for upstream in configuration.upstreams {
            for service in upstream.services {
                let known = former.first { $0.upstream == upstream.name && $0.name == service.name }
                if var known {
                    known.resolve = upstream.resolve
                    let isFailing = known.failure != nil
                    // An operator who reloads may have repaired what made the questions fail.
                    let latest = isFailing ? now : now + upstream.resolve.atMost
                    known.dueAt = known.dueAt.map { min($0, latest) }
                    if isFailing { known.retryDelay = Self.firstRetryDelay }
                    services.append(known)
                    continue
                }
                lastNumber += 1
                services.append(
                    Service(
                        number: lastNumber,
                        upstream: upstream.name,
                        name: service.name,
                        resolve: upstream.resolve,
                        dueAt: now
                    )
                )
            }
        }
        let names = Set(services.map(\.upstream))
        provisional = provisional.filter { names.contains($0.key) }
        hasChanged = true
    }

    /// Notes that the result of ``effective(_:)`` is in effect.
    package mutating func noteApplied() { hasChanged = false }

    // MARK: Questions

    /// The time at which ``takeQuestion(now:)`` has another question; `nil` while only answers are
    /// awaited.
    package var deadline: ContinuousClock.Instant? {
        askedCount < Self.questionLimit ? services.compactMap(\.dueAt).min() : nil
    }

    /// Takes the most overdue question; ``note(_:to:now:)`` must follow.
    package mutating func takeQuestion(now: ContinuousClock.Instant) -> Question? {
        guard let due = deadline, due <= now,
            let index = services.firstIndex(where: { $0.dueAt == due })
        else { return nil }
        services[index].dueAt = nil
        askedCount += 1
        return Question(number: services[index].number, name: services[index].name)
    }

    /// Notes the result of a question.
    ///
    /// - Returns: The news for the log; `nil` if there are none.
    package mutating func note(
        _ result: Result<ServiceAnswer, NameLookupFailure>,
        to question: Question,
        now: ContinuousClock.Instant
    ) -> DiscoveryNews? {
        askedCount -= 1
        // A reload may have removed the service.
        guard let index = services.firstIndex(where: { $0.number == question.number }) else {
            return nil
        }
        switch result.checked {
        case .success(let answer): return succeed(index, answer, now: now)
        case .failure(let failure): return fail(index, failure, now: now)
        }
    }

    private mutating func succeed(
        _ index: Int,
        _ found: ServiceAnswer,
        now: ContinuousClock.Instant
    ) -> DiscoveryNews? {
        let service = services[index]
        let answer = service.answer.map { found.keepingAddresses(after: $0) } ?? found
        let lifetime = max(
            service.resolve.atLeast,
            min(answer.timeToLive, service.resolve.atMost)
        )
        services[index].answer = answer
        services[index].answeredAt = now
        services[index].failure = nil
        services[index].retryDelay = Self.firstRetryDelay
        services[index].dueAt = now + lifetime
        if service.answer?.records != answer.records { hasChanged = true }
        return DiscoveryNews(answer, after: service)
    }

    private mutating func fail(
        _ index: Int,
        _ failure: NameLookupFailure,
        now: ContinuousClock.Instant
    ) -> DiscoveryNews? {
        let service = services[index]
        let longest = min(
            service.resolve.atMost,
            service.answer == nil ? Self.longestFirstDelay : service.resolve.atMost
        )
        services[index].failure = failure
        services[index].failureCount += 1
        services[index].dueAt = now + min(service.retryDelay, longest)
        services[index].retryDelay = min(service.retryDelay * 2, longest)
        guard service.failure != failure else { return nil }
        return DiscoveryNews(failure, of: service, now: now)
    }

    // MARK: Servers

    /// Adds the servers of the last good answers to a configuration of the file.
    ///
    /// If services name the same server, the first one counts.
    package func effective(_ configuration: Configuration) -> Configuration {
        var effective = configuration
        for index in effective.upstreams.indices {
            let upstream = configuration.upstreams[index]
            guard !upstream.services.isEmpty else { continue }
            var known = Set(upstream.servers.map(\.address))
            var areAllAnswered = true
            for entry in upstream.services {
                let service = services.first {
                    $0.upstream == upstream.name && $0.name == entry.name
                }
                if service?.answer == nil {
                    areAllAnswered = false
                    effective.upstreams[index].awaitsServices = true
                }
                for server in service?.answer?.servers(of: entry).prefix(Self.serverLimit) ?? []
                where known.insert(server.address).inserted {
                    effective.upstreams[index].servers.append(server)
                }
            }
            guard !areAllAnswered else { continue }
            for case .tcp(let address) in provisional[upstream.name] ?? []
            where known.insert(.ip(address)).inserted {
                effective.upstreams[index].servers.append(.init(provisional: .ip(address)))
            }
        }
        return effective
    }
}

extension Result<ServiceAnswer, NameLookupFailure> {
    /// The result; a failure if the answer has records of which none has an address.
    fileprivate var checked: Self {
        guard case .success(let answer) = self, !answer.isNotOffered,
            !answer.records.contains(where: { !$0.addresses.isEmpty })
        else { return self }
        let reason = answer.records.isEmpty ? "it has no SRV records" : "no target has an address"
        return .failure(NameLookupFailure(reason: reason))
    }
}

extension ServiceAnswer {
    /// Returns the answer with the former addresses of targets for which no address was found now,
    /// or of the families that are unknown now.
    fileprivate func keepingAddresses(after former: ServiceAnswer) -> ServiceAnswer {
        ServiceAnswer(
            records: records.map { record in
                let known = former.records.first { $0.target == record.target }
                let kept = known?.addresses.filter { address in
                    let unknown = Unknown(target: record.target, family: address.family)
                    return record.addresses.isEmpty || self.unknown.contains(unknown)
                }
                return ServiceRecord(
                    priority: record.priority,
                    weight: record.weight,
                    port: record.port,
                    target: record.target,
                    addresses: (record.addresses + (kept ?? [])).sorted(by: IPAddress.precedes)
                )
            },
            timeToLive: timeToLive,
            isNotOffered: isNotOffered,
            droppedCount: droppedCount,
            unknown: unknown
        )
    }
}
