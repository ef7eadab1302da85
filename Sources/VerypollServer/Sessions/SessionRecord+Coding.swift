internal import Verypoll
internal import VerypollConfiguration

// The encoding of a record in version 1 of ``SessionFile``. Numbers are little-endian. A text is
// its length as 16 bits, followed by UTF-8.
//
//     id, openedAt, activeAt, halfClosedAt      64 bits each
//     position, brokenBy                        16 and 32 bits
//     presence                                  16 bits, see `Presence`
//     listener, service, peer, destination      texts; an absent address is an empty text
//     marks of the client, of the server        16 bits each
//     toServer, toClient                        each: taken and given, 64 bits each; piped, 32
//                                               bits; the length of parked, 32 bits; parked
//     upstream, server                          texts
//     address, owedHeader                       32 and 8 bits
//     nextAt, endsAt                            64 bits each
//     inspection, request, additions            8 bits each, see `Additions`; these and the
//                                               following are absent in the first releases
//     serverName, route                         texts
//     protocols                                 the length as 16 bits, and as many bytes
//     connectTime, queueTime                    32 bits each; these and the following are absent in
//                                               releases before 0.3
//     attemptCount, firstEnd, restartCount      16, 8 and 8 bits
//     sender                                    text; an absent address is an empty text
//     vsockPeer                                 text; an absent address is an empty text
//
// Bytes after these fields were written by a newer release and are ignored. To add a field without
// a new version, append it here and use a default when the record ends before it.

extension SessionRecord {
    /// The optional parts that the record has, and its flags.
    private struct Presence: OptionSet {
        let rawValue: UInt16
        static let awaitsHeader = Presence(rawValue: 1 << 0)
        static let isCountedBySource = Presence(rawValue: 1 << 1)
        static let clientIsUnix = Presence(rawValue: 1 << 2)
        static let server = Presence(rawValue: 1 << 3)
        static let serverIsUnix = Presence(rawValue: 1 << 4)
        static let toServerPipe = Presence(rawValue: 1 << 5)
        static let toClientPipe = Presence(rawValue: 1 << 6)
        static let toServerIsSpliced = Presence(rawValue: 1 << 7)
        static let toClientIsSpliced = Presence(rawValue: 1 << 8)
        static let route = Presence(rawValue: 1 << 9)
        static let isBreaking = Presence(rawValue: 1 << 10)
        static let isConnecting = Presence(rawValue: 1 << 11)
        // Releases without vsock close such sessions: the descriptor is not one of a TCP socket.
        static let clientIsVsock = Presence(rawValue: 1 << 12)
        static let serverIsVsock = Presence(rawValue: 1 << 13)

        /// The kind of a connection that has these flags.
        func kind(unix: Presence, vsock: Presence) -> EndKind {
            contains(unix) ? .unix : contains(vsock) ? .vsock : .tcp
        }
    }

    /// Flags after the fields of the first releases.
    private struct Additions: OptionSet {
        let rawValue: UInt8
        static let keepsHello = Additions(rawValue: 1 << 0)
        static let asksForTLS = Additions(rawValue: 1 << 1)
        static let announced = Additions(rawValue: 1 << 2)
    }

    /// The largest valid session ID and byte count, small enough that sums do not overflow 64 bits.
    package static let largestCount = UInt64(1) << 60

    private var presence: Presence {
        var presence: Presence = []
        func insert(_ part: Presence, if isThere: Bool) {
            if isThere { presence.insert(part) }
        }
        insert(.awaitsHeader, if: awaitsHeader)
        insert(.isCountedBySource, if: isCountedBySource)
        insert(.clientIsUnix, if: client.kind == .unix)
        insert(.clientIsVsock, if: client.kind == .vsock)
        insert(.server, if: server != nil)
        insert(.serverIsUnix, if: server?.kind == .unix)
        insert(.serverIsVsock, if: server?.kind == .vsock)
        insert(.toServerPipe, if: toServer.piped != nil)
        insert(.toClientPipe, if: toClient.piped != nil)
        insert(.toServerIsSpliced, if: toServer.isSpliced)
        insert(.toClientIsSpliced, if: toClient.isSpliced)
        insert(.route, if: route != nil)
        insert(.isBreaking, if: route?.isBreaking == true)
        insert(.isConnecting, if: route?.isConnecting == true)
        return presence
    }

    /// Encodes the record.
    package func encode(into writer: inout RecordWriter) {
        for number in [id, openedAt, activeAt, halfClosedAt] { writer.append(number) }
        writer.append(position)
        writer.append(UInt32(bitPattern: brokenBy))
        writer.append(presence.rawValue)
        writer.append(listener)
        writer.append(service)
        writer.append(peer?.description ?? "")
        writer.append(destination?.description ?? "")
        writer.append(client.marks.rawValue)
        writer.append(server?.marks.rawValue ?? 0)
        for channel in [toServer, toClient] {
            writer.append(channel.taken)
            writer.append(channel.given)
            writer.append(channel.piped ?? 0)
            writer.append(UInt32(channel.parked.count))
            writer.append(contentsOf: channel.parked)
        }
        writer.append(route?.upstream ?? "")
        writer.append(route?.server ?? "")
        writer.append(route?.address ?? 0)
        writer.append(route?.owedHeader ?? 0)
        writer.append(route?.nextAt ?? .max)
        writer.append(route?.endsAt ?? .max)
        encodeInspection(into: &writer)
        story.encode(into: &writer)
        writer.append(vsockPeer?.description ?? "")
    }

    private func encodeInspection(into writer: inout RecordWriter) {
        var additions: Additions = []
        if keepsHello { additions.insert(.keepsHello) }
        if route?.asksForTLS == true { additions.insert(.asksForTLS) }
        if announced != nil { additions.insert(.announced) }
        writer.append(inspection)
        writer.append(route?.request ?? 0)
        writer.append(additions.rawValue)
        writer.append(String(decoding: announced?.serverName ?? [], as: UTF8.self))
        writer.append(announced?.route ?? "")
        writer.append(UInt16(announced?.protocols.count ?? 0))
        writer.append(contentsOf: announced?.protocols ?? [])
    }

    private mutating func decodeInspection(from reader: inout RecordReader) throws(RecordError) {
        guard !reader.isAtEnd else { return }
        inspection = try reader.integer()
        let request: UInt8 = try reader.integer()
        let additions = Additions(rawValue: try reader.integer())
        keepsHello = additions.contains(.keepsHello)
        route?.request = request
        route?.asksForTLS = additions.contains(.asksForTLS)
        let serverName = Array(try reader.text().utf8)
        let route = try reader.text()
        let count: UInt16 = try reader.integer()
        let protocols = Array(try reader.bytes(Int(count)))
        guard additions.contains(.announced) else { return }
        announced = Announced(serverName: serverName, protocols: protocols, route: route)
    }

    /// Decodes a record.
    ///
    /// - Throws: If the bytes end too early or contain impossible values.
    package init(from reader: inout RecordReader) throws(RecordError) {
        id = try Self.count(from: &reader)
        openedAt = try reader.integer()
        activeAt = try reader.integer()
        halfClosedAt = try reader.integer()
        position = try reader.integer()
        brokenBy = Int32(bitPattern: try reader.integer())
        let presence = Presence(rawValue: try reader.integer())
        awaitsHeader = presence.contains(.awaitsHeader)
        isCountedBySource = presence.contains(.isCountedBySource)
        listener = try reader.text()
        service = try reader.text()
        peer = try Self.address(from: &reader)
        destination = try Self.address(from: &reader)
        let clientMarks = Marks(rawValue: try reader.integer())
        let serverMarks = Marks(rawValue: try reader.integer())
        let clientKind = presence.kind(unix: .clientIsUnix, vsock: .clientIsVsock)
        client = End(kind: clientKind, marks: clientMarks)
        let serverKind = presence.kind(unix: .serverIsUnix, vsock: .serverIsVsock)
        server = presence.contains(.server) ? End(kind: serverKind, marks: serverMarks) : nil
        toServer = try Channel(
            from: &reader,
            hasPipe: presence.contains(.toServerPipe),
            isSpliced: presence.contains(.toServerIsSpliced)
        )
        toClient = try Channel(
            from: &reader,
            hasPipe: presence.contains(.toClientPipe),
            isSpliced: presence.contains(.toClientIsSpliced)
        )
        let route = try Self.route(presence, from: &reader)
        self.route = presence.contains(.route) ? route : nil
        try decodeInspection(from: &reader)
        if !reader.isAtEnd { story = try Story(from: &reader) }
        if !reader.isAtEnd { vsockPeer = try Self.vsockAddress(from: &reader) }
        guard isPossible else { throw .malformed }
    }

    /// Whether the fields are consistent with each other.
    private var isPossible: Bool {
        guard id > 0, Int(position) < Session.positionLimit,
            let inspection = Session.Inspection(rawValue: inspection), isInspectionPossible
        else { return false }
        guard inspection == .none || route == nil else { return false }
        guard let route else {
            return server == nil && toServer.piped == nil && toClient.piped == nil
        }
        guard route.owedHeader <= 2, !awaitsHeader || server == nil else { return false }
        guard !route.isConnecting || server != nil && !route.isBreaking else { return false }
        return (server == nil) == route.server.isEmpty
    }

    private var isInspectionPossible: Bool {
        if let announced {
            var name = announced.serverName
            guard name.isEmpty || ServerName.normalize(&name) && name == announced.serverName,
                InspectedClient.areProtocols(announced.protocols)
            else { return false }
        }
        guard !keepsHello || toServer.parked.count <= LongHello.byteLimit else { return false }
        guard let route else { return true }
        guard let request = ProxyState.Request(rawValue: route.request) else { return false }
        return request == .none || route.asksForTLS
    }

    private static func route(
        _ presence: Presence,
        from reader: inout RecordReader
    ) throws(RecordError) -> Route {
        Route(
            upstream: try reader.text(),
            server: try reader.text(),
            isConnecting: presence.contains(.isConnecting),
            address: try reader.integer(),
            owedHeader: try reader.integer(),
            isBreaking: presence.contains(.isBreaking),
            nextAt: try reader.integer(),
            endsAt: try reader.integer()
        )
    }

    private static func count(from reader: inout RecordReader) throws(RecordError) -> UInt64 {
        let count: UInt64 = try reader.integer()
        guard count <= largestCount else { throw .malformed }
        return count
    }

    private static func vsockAddress(
        from reader: inout RecordReader
    ) throws(RecordError) -> VsockAddress? {
        let text = try reader.text()
        if text.isEmpty { return nil }
        guard let address = VsockAddress(text) else { throw .malformed }
        return address
    }

    fileprivate static func address(
        from reader: inout RecordReader
    ) throws(RecordError) -> SocketAddress? {
        let text = try reader.text()
        if text.isEmpty { return nil }
        guard let address = SocketAddress(text) else { throw .malformed }
        return address
    }
}

extension SessionRecord.Story {
    fileprivate func encode(into writer: inout RecordWriter) {
        writer.append(connectTime)
        writer.append(queueTime)
        writer.append(attemptCount)
        writer.append(firstEnd)
        writer.append(restartCount)
        writer.append(sender?.description ?? "")
    }

    fileprivate init(from reader: inout RecordReader) throws(RecordError) {
        connectTime = try reader.integer()
        queueTime = try reader.integer()
        attemptCount = try reader.integer()
        firstEnd = try reader.integer()
        restartCount = try reader.integer()
        sender = try SessionRecord.address(from: &reader)
    }
}

extension SessionRecord.Channel {
    fileprivate init(
        from reader: inout RecordReader,
        hasPipe: Bool,
        isSpliced: Bool
    ) throws(RecordError) {
        taken = try reader.integer()
        given = try reader.integer()
        let piped: UInt32 = try reader.integer()
        let length: UInt32 = try reader.integer()
        let limit = SessionRecord.largestCount
        guard taken <= limit, given <= limit, length <= Buffer.capacity else { throw .malformed }
        parked = Array(try reader.bytes(Int(length)))
        self.piped = hasPipe ? piped : nil
        self.isSpliced = isSpliced
    }
}
