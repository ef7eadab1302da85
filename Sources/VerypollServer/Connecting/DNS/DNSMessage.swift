internal import Verypoll

/// A message of a name server (RFC 1035, section 4).
///
/// Records of other types and classes than those of ``DNSQuestion`` are skipped. A record that
/// contradicts its length makes the whole message malformed.
struct DNSMessage: Equatable, Sendable {
    /// A record of a name.
    struct Record: Equatable, Sendable {
        let owner: DNSName
        /// Seconds; 0 if the most significant bit was set (RFC 2181, section 8).
        let timeToLive: UInt32
        let data: RecordData
    }

    /// The contents of a record.
    enum RecordData: Equatable, Sendable {
        case address(IPAddress)
        case alias(DNSName)
        case service(Service)
    }

    /// The contents of an SRV record.
    struct Service: Hashable, Sendable {
        let priority: UInt16
        let weight: UInt16
        let port: UInt16
        let target: DNSName
    }

    /// The result of a question, as a name server reports it.
    enum Code {
        static let none: UInt16 = 0
        static let malformedQuestion: UInt16 = 1
        static let serverFailure: UInt16 = 2
        static let noSuchName: UInt16 = 3
        static let notImplemented: UInt16 = 4
        static let refused: UInt16 = 5
    }

    /// The most aliases that are followed from a question to its records.
    private static let aliasLimit = 16

    let identifier: UInt16
    let isAnswer: Bool
    /// Whether the message is incomplete; it then has no records here.
    let isTruncated: Bool
    /// One of ``Code``, or another number.
    let code: UInt16
    /// The question that is answered; `nil` in some error messages, and if this type does not know
    /// its type or class.
    let question: DNSQuestion?
    private(set) var answers: [Record] = []
    private(set) var additional: [Record] = []

    /// Parses a whole message; bytes after it are ignored.
    init(_ bytes: [UInt8]) throws(DNSReader.Malformed) {
        var reader = DNSReader(bytes)
        identifier = try reader.number(UInt16.self)
        let flags = try reader.number(UInt16.self)
        isAnswer = flags & 0x8000 != 0
        isTruncated = flags & 0x0200 != 0
        code = flags & 0x000F
        let questionCount = try reader.number(UInt16.self)
        let answerCount = try reader.number(UInt16.self)
        let authorityCount = try reader.number(UInt16.self)
        let additionalCount = try reader.number(UInt16.self)
        guard questionCount <= 1 else { throw DNSReader.Malformed() }
        var question: DNSQuestion?
        if questionCount == 1 {
            let name = try reader.name()
            let type = DNSQuestion.RecordType(rawValue: try reader.number(UInt16.self))
            let isInternet = try reader.number(UInt16.self) == DNSQuestion.internet
            if let type, isInternet { question = DNSQuestion(name: name, type: type) }
        }
        self.question = question
        if isTruncated { return }
        for _ in 0..<answerCount {
            if let record = try Record(&reader) { answers.append(record) }
        }
        for _ in 0..<authorityCount { _ = try Record(&reader) }
        for _ in 0..<additionalCount {
            if let record = try Record(&reader) { additional.append(record) }
        }
    }

    /// Returns the records that answer a question, and the shortest time to live of them and of the
    /// aliases that lead to them.
    func records(for question: DNSQuestion) -> (records: [Record], timeToLive: UInt32) {
        var aliases: [DNSName: Record] = [:]
        for record in answers {
            guard case .alias = record.data, aliases[record.owner] == nil else { continue }
            aliases[record.owner] = record
        }
        var name = question.name
        var timeToLive = UInt32.max
        for _ in 0..<Self.aliasLimit {
            guard let record = aliases[name], case .alias(let next) = record.data else { break }
            timeToLive = min(timeToLive, record.timeToLive)
            name = next
        }
        let found = answers.filter { $0.owner == name && $0.data.type == question.type }
        return (found, found.map(\.timeToLive).reduce(timeToLive, min))
    }
}

extension DNSMessage.RecordData {
    var type: DNSQuestion.RecordType {
        switch self {
        case .address(let address): address.family == .v4 ? .a : .aaaa
        case .alias: .cname
        case .service: .srv
        }
    }
}

extension DNSMessage.Record {
    /// Reads a record; returns `nil` if its type or class does not matter.
    fileprivate init?(_ reader: inout DNSReader) throws(DNSReader.Malformed) {
        owner = try reader.name()
        let type = DNSQuestion.RecordType(rawValue: try reader.number(UInt16.self))
        let isInternet = try reader.number(UInt16.self) == DNSQuestion.internet
        let seconds = try reader.number(UInt32.self)
        timeToLive = seconds >> 31 == 0 ? seconds : 0
        let size = Int(try reader.number(UInt16.self))
        let end = reader.offset + size
        guard let type, isInternet else {
            try reader.skip(size)
            return nil
        }
        switch type {
        case .a: data = .address(IPAddress(v4: try reader.number(UInt32.self)))
        case .aaaa: data = .address(IPAddress(v6: try reader.number(UInt128.self)))
        case .cname: data = .alias(try reader.name())
        case .srv:
            data = .service(
                DNSMessage.Service(
                    priority: try reader.number(UInt16.self),
                    weight: try reader.number(UInt16.self),
                    port: try reader.number(UInt16.self),
                    target: try reader.name()
                )
            )
        }
        guard reader.offset == end else { throw DNSReader.Malformed() }
    }
}
