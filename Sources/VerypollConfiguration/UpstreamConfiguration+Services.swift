internal import StrictJSON

extension UpstreamConfiguration {
    /// A service whose SRV records name servers; see RFC 2782.
    package struct Service: Equatable, Sendable {
        /// The name of the records, in lower case and without a final dot.
        package var name: String
        /// The index among all elements of the list of servers in the file.
        package var place: Int
        /// Whether the servers get sessions only while no server is available that is not a backup.
        package var backup = false
        /// The most sessions of each server at the same time, or `nil` for no limit.
        package var maxSessions: Int? = nil
        /// The mode of each server, until an operator sets another one.
        package var state = Server.State.up
    }
}

extension UpstreamConfiguration.Server {
    /// The SRV record that has named a server.
    package struct Origin: Equatable, Sendable {
        /// The name of the service.
        package var service: String
        /// The host that the record names.
        package var target: String
        /// The priority in the record; lower priorities are preferred.
        package var priority: Int
        /// The number of lower priorities in the same answer.
        package var rank: Int

        package init(service: String, target: String, priority: Int, rank: Int) {
            self.service = service
            self.target = target
            self.priority = priority
            self.rank = rank
        }
    }

    /// Makes a server that a record of a service has named.
    package init(
        _ address: UpstreamAddress,
        weight: Int,
        of service: UpstreamConfiguration.Service,
        _ origin: Origin
    ) {
        self.init(
            address: address,
            weight: weight,
            backup: service.backup,
            maxSessions: service.maxSessions,
            state: service.state,
            origin: origin
        )
    }

    /// Makes a server that only sessions of the previous process have named so far.
    package init(provisional address: UpstreamAddress) {
        self.init(address: address, weight: 1, backup: false, isProvisional: true)
    }

    /// The tier of the first backups; there are never so many priorities.
    private static let firstBackupTier = 1 << 16

    /// Whether a service has named the server, or sessions of one.
    package var isDiscovered: Bool { origin != nil || isProvisional }

    /// The tier of the server; it gets sessions only while no server of a lower tier is available.
    package var tier: Int { (backup ? Self.firstBackupTier : 0) + (origin?.rank ?? 0) }
}

// MARK: - Reading

extension UpstreamConfiguration.Service {
    /// Reads a service, or returns `nil` if it has no valid name.
    init?(_ value: JSONValue, place: Int, at pointer: JSONPointer, _ problems: ProblemList) {
        let keys = UpstreamConfiguration.Server.keys
        let object = ObjectReader(value, keys, at: pointer, problems: problems)
        let remedies = [
            "address": "remove this key, or the key \"srv\"",
            "weight": "the records have the weights of the servers; remove this key",
        ]
        for (key, remedy) in remedies.sorted(by: { $0.key < $1.key }) where object.has(key) {
            problems.report(pointer / key, "can't be combined with \"srv\"; \(remedy)")
        }
        let limit = object.integer("maxSessions")
        let (backup, state) = (object.boolean("backup"), object.word("state") as State)
        guard let name = object.text("srv", as: ServiceName.check) else { return nil }
        self.init(
            name: name,
            place: place,
            backup: backup,
            maxSessions: limit == 0 ? nil : limit,
            state: state
        )
    }

    private typealias State = UpstreamConfiguration.Server.State
}
