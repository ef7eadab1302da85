package import Logging
internal import Verypoll
internal import VerypollConfiguration

/// A change of a service for the log.
package struct DiscoveryNews: Equatable, Sendable {
    /// The most servers that a message names.
    private static let nameLimit = 8

    package let level: Logger.Level
    package let kind: JournalMessageID
    package let message: String
    package let upstream: String
    package let service: String

    private init(
        _ level: Logger.Level,
        _ kind: JournalMessageID,
        _ service: Discovery.Service,
        _ text: String
    ) {
        self.level = level
        self.kind = kind
        upstream = service.upstream
        self.service = service.name
        message = "\(service.upstream): \(service.name) \(text)"
    }

    /// Compares a good answer with what was known before; `nil` if there is no difference.
    init?(_ answer: ServiceAnswer, after service: Discovery.Service) {
        let isNew = service.answer?.isNotOffered != true || service.failure != nil
        if answer.isNotOffered, isNew {
            let text = "is not offered (its target is \".\"), so it has no servers"
            self.init(.warning, .serviceNotOffered, service, text)
        } else if let text = Self.comparison(answer, service), !answer.isNotOffered {
            self.init(.info, .serviceFound, service, text)
        } else {
            return nil
        }
    }

    private static func comparison(_ answer: ServiceAnswer, _ service: Discovery.Service) -> String?
    {
        let present = answer.serverNames
        let now = Set(present)
        let count = now.count == 1 ? "1 server" : "\(now.count) servers"
        guard let former = service.answer else { return "has \(count): \(list(present))" }
        let known = former.serverNames
        let before = Set(known)
        if before == now { return service.failure.map { _ in "is found again, as before" } }
        let added = present.filter { !before.contains($0) }
        let removed = known.filter { !now.contains($0) }
        let parts = [("new: ", added), ("gone: ", removed)].filter { !$0.1.isEmpty }
        return "now has \(count); " + parts.map { $0 + list($1) }.joined(separator: "; ")
    }

    /// Describes a failure.
    init(_ failure: NameLookupFailure, of service: Discovery.Service, now: ContinuousClock.Instant)
    {
        let rest =
            service.answeredAt.map { at in
                let age = Duration.seconds((now - at).components.seconds).timeSpan
                return "the answer of \(age) ago is kept"
            } ?? "it has no servers yet"
        self.init(.warning, .serviceNotFound, service, "is not found: \(failure); \(rest)")
    }

    private static func list(_ names: [String]) -> String {
        let rest = names.count > nameLimit ? " and \(names.count - nameLimit) more" : ""
        return names.prefix(nameLimit).joined(separator: ", ") + rest
    }
}

extension ServiceAnswer {
    /// The names of the servers, in the order of the records.
    fileprivate var serverNames: [String] {
        records.flatMap { record in
            record.addresses.map { SocketAddress($0, port: record.port).description }
        }
    }

    /// Returns a server for each address of each record, the most preferred first.
    ///
    /// - Parameter service: The entry of the configuration, whose settings apply to all.
    /// - Returns: The servers, without records of port 0.
    func servers(
        of service: UpstreamConfiguration.Service
    ) -> [UpstreamConfiguration.Server] {
        var ranks: [UInt16: Int] = [:]
        for priority in Set(records.map(\.priority)).sorted() { ranks[priority] = ranks.count }
        return records.filter { $0.port != 0 }.flatMap { record in
            record.addresses.map { address in
                UpstreamConfiguration.Server(
                    .ip(SocketAddress(address, port: record.port)),
                    weight: Int(record.weight),
                    of: service,
                    UpstreamConfiguration.Server.Origin(
                        service: service.name,
                        target: record.target,
                        priority: Int(record.priority),
                        rank: ranks[record.priority] ?? 0
                    )
                )
            }
        }
    }
}
