internal import FoundationEssentials
internal import VerypollControl
internal import VerypollServer

/// The contents of `/status.json`: the status as `GetStatus` returns it, but without the paths of
/// files, and more for the page.
struct StatusDocument: Encodable, Sendable {
    /// The most bytes of the encoded document.
    static let byteLimit = 1 << 20

    /// The most bytes of a text that the daemon composes.
    private static let textLimit = 4096

    /// The numbers of listeners and servers that did not fit into ``byteLimit``.
    struct Omitted: Codable, Equatable, Sendable {
        var listeners = 0
        var upstreams = 0
        var servers = 0
    }

    private(set) var status: Status
    /// The time of the document, in microseconds since 1970-01-01 UTC.
    let timestampUSec: Int
    let hostName: String
    /// Why the last reload was refused; `nil` if it was not.
    let reloadRefusal: String?
    /// The latest events, the latest first.
    let events: [StatusEvent]
    private(set) var omitted: Omitted?

    init(
        _ status: Status,
        timestampUSec: Int,
        hostName: String,
        reloadRefusal: String?,
        events: [StatusEvent]
    ) {
        self.status = status
        self.status.note = status.note?.cut(to: Self.textLimit)
        // Many long paths, and of no use to the page.
        self.status.configurationFiles = nil
        self.timestampUSec = timestampUSec
        self.hostName = hostName
        self.reloadRefusal = reloadRefusal?.cut(to: Self.textLimit)
        self.events = events
    }

    private enum CodingKeys: CodingKey {
        case timestampUSec, hostName, reloadRefusal, events, omitted
    }

    func encode(to encoder: any Encoder) throws {
        try status.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(timestampUSec, forKey: .timestampUSec)
        try container.encode(hostName, forKey: .hostName)
        try container.encodeIfPresent(reloadRefusal, forKey: .reloadRefusal)
        try container.encode(events, forKey: .events)
        try container.encodeIfPresent(omitted, forKey: .omitted)
    }

    /// Drops listeners and servers until the encoded document fits into `limit` bytes.
    ///
    /// - Returns: The encoded document.
    mutating func fit(into limit: Int = byteLimit) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        while true {
            // Only a number without a representation could make this fail; `Status` has none.
            guard let text = try? encoder.encode(self) else { return Array("{}".utf8) }
            let isEmpty = status.listeners.isEmpty && status.upstreams.isEmpty
            guard text.count > limit, !isEmpty else { return [UInt8](text) }
            // The rest of the document needs room too, so keep less than the exact share.
            reduce(to: Double(limit) / Double(text.count) * 0.9)
        }
    }

    /// Keeps a share of the listeners and of the servers: those that need attention, then the
    /// first ones.
    private mutating func reduce(to share: Double) {
        var omitted = self.omitted ?? Omitted()
        let listenerCount = Int(Double(status.listeners.count) * share)
        let keptListeners = status.listeners.partitioned { $0.state != .accepting }
            .prefix(listenerCount)
        omitted.listeners += status.listeners.count - keptListeners.count
        status.listeners = keptListeners.sorted { $0.name < $1.name }

        let serverCount = status.upstreams.reduce(0) { $0 + $1.servers.count }
        var room = Int(Double(serverCount) * share)
        var upstreams: [Status.Upstream] = []
        let needy = status.upstreams.partitioned { !$0.servers.allSatisfy(\.getsSessions) }
        for var upstream in needy {
            let kept = upstream.servers.partitioned { !$0.getsSessions }.prefix(room)
            room -= kept.count
            omitted.servers += upstream.servers.count - kept.count
            guard !kept.isEmpty else {
                omitted.upstreams += 1
                continue
            }
            let addresses = Set(kept.map(\.address))
            upstream.servers = upstream.servers.filter { addresses.contains($0.address) }
            upstreams.append(upstream)
        }
        status.upstreams = upstreams.sorted { $0.name < $1.name }
        self.omitted = omitted
    }

    /// Writes the document, or the page with its essential parts.
    func report(_ kind: ReportKind) -> Report {
        var document = self
        let text = document.fit()
        guard kind == .status else {
            return Report(
                kind,
                body: StatusPage.shared.text(of: document),
                fields: StatusPage.shared.fields
            )
        }
        let tag = String(status.pid, radix: 16) + "-" + String(timestampUSec, radix: 16)
        let fields = ["Cache-Control: no-cache"] + StatusPage.commonFields
        return Report(kind, body: text, entityTag: "\"\(tag)\"", fields: fields)
    }
}

extension Array {
    /// Returns the elements that satisfy a condition, then the others, each in their order.
    func partitioned(_ condition: (Element) -> Bool) -> [Element] {
        filter(condition) + filter { !condition($0) }
    }
}
