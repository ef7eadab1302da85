package import Verypoll

/// A server of a service, as an SRV record names it (RFC 2782), with the addresses of its target.
package struct ServiceRecord: Hashable, Sendable {
    /// Servers with the lowest priority are preferred; those with a higher one are backups.
    package let priority: UInt16
    /// The share of the sessions among the servers of the same priority.
    package let weight: UInt16
    package let port: UInt16
    /// The host name of the server, in lower case and without a dot at its end.
    ///
    /// Bytes that a host name cannot have are written as `\DDD`, their decimal number.
    package let target: String
    /// The addresses of the target in the order in which to try them: IPv4, then IPv6, each in
    /// ascending order; empty if no address was found.
    ///
    /// IPv4 is first because many machines have no IPv6 route, whatever the DNS says.
    package let addresses: [IPAddress]

    package init(
        priority: UInt16,
        weight: UInt16,
        port: UInt16,
        target: String,
        addresses: [IPAddress]
    ) {
        self.priority = priority
        self.weight = weight
        self.port = port
        self.target = target
        self.addresses = addresses
    }
}

/// The answer to a question for the servers of a service.
package struct ServiceAnswer: Equatable, Sendable {
    /// The most records; of a longer answer, those that come last in the order are dropped.
    package static let recordLimit = 1024
    /// The most addresses of a record; the others are dropped.
    package static let addressLimit = 32
    /// The longest ``timeToLive`` of an answer with a target without an address, or with a question
    /// for addresses that has failed, so that the failure does not disable a server for long.
    package static let incompleteLifetime = Duration.seconds(30)

    /// The servers, in the order of their priorities, then targets, then ports; no two have all
    /// three in common.
    ///
    /// Empty if the service is not offered.
    package let records: [ServiceRecord]
    /// The time during which the answer is still valid: the shortest of the SRV records, the
    /// aliases on the way to them, and the addresses used.
    package let timeToLive: Duration
    /// Whether the domain says that it does not offer the service: its only target is `.`.
    package let isNotOffered: Bool
    /// The number of records that were dropped because of ``recordLimit``.
    package let droppedCount: Int
    /// The addresses that are not known, because the question for them has failed.
    package let unknown: Set<Unknown>

    /// The addresses of a target that belong to one family.
    package struct Unknown: Hashable, Sendable {
        package let target: String
        package let family: IPAddress.Family

        package init(target: String, family: IPAddress.Family) {
            self.target = target
            self.family = family
        }
    }

    package init(
        records: [ServiceRecord],
        timeToLive: Duration,
        isNotOffered: Bool = false,
        droppedCount: Int = 0,
        unknown: Set<Unknown> = []
    ) {
        self.records = records
        self.timeToLive = timeToLive
        self.isNotOffered = isNotOffered
        self.droppedCount = droppedCount
        self.unknown = unknown
    }

    /// Subtracts the time that has passed from the time to live.
    ///
    /// Only whole seconds count, as in DNS. So the next question comes a little too late rather
    /// than too early, when a cache would repeat the old records with almost no time to live.
    ///
    /// - Parameter age: The time since the SRV records arrived; the addresses may take long.
    /// - Returns: The same answer with the rest of its time to live.
    func aged(by age: Duration) -> ServiceAnswer {
        ServiceAnswer(
            records: records,
            timeToLive: max(.zero, timeToLive - .seconds(age.components.seconds)),
            isNotOffered: isNotOffered,
            droppedCount: droppedCount,
            unknown: unknown
        )
    }
}
