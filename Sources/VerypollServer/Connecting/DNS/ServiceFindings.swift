internal import Verypoll

/// The answer to a question for a service, while the addresses of its targets are being collected.
///
/// The message with the SRV records may have addresses of the targets among its additional records.
/// These are used. A name server may leave out those that do not fit, so a target is asked for the
/// types of addresses that it has not got.
struct ServiceFindings {
    private let services: [DNSMessage.Service]
    private let droppedCount: Int
    private let isNotOffered: Bool
    private var addresses: [DNSName: Set<IPAddress>] = [:]
    /// The questions that additional records have answered.
    private var answered: Set<DNSQuestion> = []
    private var failed: Set<DNSQuestion> = []
    private var timeToLive: UInt32

    /// Begins with the answer to the question for the SRV records.
    ///
    /// - Throws: The reason why the answer has no records.
    init(_ message: DNSMessage, to question: DNSQuestion) throws(NameLookupFailure) {
        let found = message.records(for: question)
        var all: Set<DNSMessage.Service> = []
        for record in found.records {
            if case .service(let service) = record.data { all.insert(service) }
        }
        guard !all.isEmpty else {
            let isUnknown = message.code == DNSMessage.Code.noSuchName
            throw NameLookupFailure(reason: isUnknown ? "no such name" : "it has no SRV records")
        }
        // A record with the target "." beside others contradicts RFC 2782.
        let offered = all.filter { $0.target != .root }
        let ordered = Self.ordered(offered.filter { $0.port != 0 })
        if ordered.isEmpty, !offered.isEmpty {
            throw NameLookupFailure(reason: "all its SRV records have port 0")
        }
        services = Array(ordered.prefix(ServiceAnswer.recordLimit))
        droppedCount = ordered.count - services.count
        isNotOffered = services.isEmpty
        timeToLive = found.timeToLive
        let targets = Set(services.map(\.target))
        for record in message.additional where targets.contains(record.owner) {
            guard let address = add(record, of: record.owner) else { continue }
            answered.insert(DNSQuestion(addressesOf: record.owner, address.family))
        }
    }

    /// The questions for the addresses of targets that are not known yet.
    var questions: [DNSQuestion] {
        var asked = answered
        return services.map(\.target)
            .flatMap { [DNSQuestion(name: $0, type: .a), DNSQuestion(name: $0, type: .aaaa)] }
            .filter { asked.insert($0).inserted }
    }

    /// Adds the addresses in the answer to one of ``questions``.
    mutating func add(_ message: DNSMessage, to question: DNSQuestion) {
        let found = message.records(for: question)
        answered.insert(question)
        guard !found.records.isEmpty else { return }
        for record in found.records { add(record, of: question.name) }
        timeToLive = min(timeToLive, found.timeToLive)
    }

    /// Notes that one of ``questions`` has no answer.
    mutating func noteFailure(of question: DNSQuestion) {
        answered.insert(question)
        failed.insert(question)
    }

    /// The answer with the addresses that were found.
    var answer: ServiceAnswer {
        let sorted = addresses.mapValues { found in
            Array(found.sorted(by: IPAddress.precedes).prefix(ServiceAnswer.addressLimit))
        }
        let records = services.map { service in
            ServiceRecord(
                priority: service.priority,
                weight: service.weight,
                port: service.port,
                target: service.target.description,
                addresses: sorted[service.target] ?? []
            )
        }
        let isComplete = failed.isEmpty && records.allSatisfy { !$0.addresses.isEmpty }
        let lifetime = Duration.seconds(timeToLive)
        return ServiceAnswer(
            records: records,
            timeToLive: isComplete ? lifetime : min(lifetime, ServiceAnswer.incompleteLifetime),
            isNotOffered: isNotOffered,
            droppedCount: droppedCount,
            unknown: Set(
                failed.map { question in
                    let family: IPAddress.Family = question.type == .a ? .v4 : .v6
                    return ServiceAnswer.Unknown(target: question.name.description, family: family)
                }
            )
        )
    }

    @discardableResult
    private mutating func add(_ record: DNSMessage.Record, of target: DNSName) -> IPAddress? {
        guard case .address(let address) = record.data else { return nil }
        addresses[target, default: []].insert(address)
        timeToLive = min(timeToLive, record.timeToLive)
        return address
    }

    /// Sorts the servers; of two that differ in their weights only, the heavier one remains.
    private static func ordered(_ services: Set<DNSMessage.Service>) -> [DNSMessage.Service] {
        let named = services.map { (service: $0, target: $0.target.description) }
        let sorted = named.sorted { left, right in
            let isEqual = left.target == right.target
            let (one, other) = (left.service, right.service)
            if one.priority != other.priority { return one.priority < other.priority }
            if !isEqual { return left.target < right.target }
            return (one.port, other.weight) < (other.port, one.weight)
        }
        var unique: [DNSMessage.Service] = []
        for (service, _) in sorted {
            if let last = unique.last, last.priority == service.priority,
                last.target == service.target, last.port == service.port
            {
                continue
            }
            unique.append(service)
        }
        return unique
    }
}

extension IPAddress {
    /// Whether an address of a target is tried before another one.
    static func precedes(_ left: IPAddress, _ right: IPAddress) -> Bool {
        (left.family.rawValue, left.bits) < (right.family.rawValue, right.bits)
    }
}
