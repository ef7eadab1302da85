internal import Testing
internal import Verypoll

@testable import VerypollConfiguration
@testable import VerypollServer

@Suite("SessionFile")
struct SessionFileTests {
    private static let idle = SessionRecord(
        id: 1,
        listener: "echo",
        service: "echo",
        openedAt: 10,
        activeAt: 20,
        halfClosedAt: 0,
        position: 0,
        awaitsHeader: true,
        isCountedBySource: false,
        brokenBy: 0,
        peer: nil,
        destination: nil,
        client: SessionRecord.End(kind: .unix, marks: .isReadToNil),
        server: nil,
        toServer: SessionRecord.Channel(
            taken: 0,
            given: 0,
            parked: [],
            piped: nil,
            isSpliced: false
        ),
        toClient: SessionRecord.Channel(
            taken: 3,
            given: 2,
            parked: [7],
            piped: nil,
            isSpliced: false
        ),
        route: nil
    )

    static let proxied = SessionRecord(
        id: 77,
        listener: "wéb",
        service: "proxy",
        openedAt: 10,
        activeAt: 20,
        halfClosedAt: 15,
        position: 12,
        awaitsHeader: false,
        isCountedBySource: true,
        brokenBy: -3,
        peer: SocketAddress(IPAddress(v6: 0xFE80 << 112 | 1), port: 4711, zone: 2),
        destination: SocketAddress(IPAddress(v4: 0x0A00_0001), port: 80),
        client: SessionRecord.End(kind: .tcp, marks: [.inputEnded, .hasSent]),
        server: SessionRecord.End(kind: .unix, marks: [.gathers, .failed, .isUrgent]),
        toServer: SessionRecord.Channel(
            taken: 1 << 40,
            given: 5,
            parked: Array(repeating: 9, count: 65_536),
            piped: 4,
            isSpliced: true
        ),
        toClient: SessionRecord.Channel(
            taken: 8,
            given: 8,
            parked: [],
            piped: nil,
            isSpliced: true
        ),
        route: SessionRecord.Route(
            upstream: "app",
            server: "127.0.0.1:80",
            isConnecting: false,
            address: 1,
            owedHeader: 2,
            isBreaking: true,
            nextAt: 99,
            endsAt: .max
        )
    )

    /// A session of a PostgreSQL client that waits for the server's answer.
    static let inspected: SessionRecord = {
        var record = proxied
        record.toServer.parked = Array(repeating: 9, count: 5000)
        record.keepsHello = true
        record.route?.asksForTLS = true
        record.route?.request = 2
        record.announced = SessionRecord.Announced(
            serverName: Array("db.example".utf8),
            protocols: Array("\u{2}h2\u{1}\u{1B}".utf8),
            route: "db"
        )
        record.story = SessionRecord.Story(
            connectTime: 1_042,
            queueTime: 7,
            attemptCount: 3,
            firstEnd: SessionParty.server.rawValue,
            restartCount: 2,
            sender: SocketAddress(IPAddress(v4: 0x0A00_0002), port: 3300)
        )
        return record
    }()

    /// A session that waits for the rest of a ClientHello.
    static let inspecting: SessionRecord = {
        var record = idle
        record.service = "proxy"
        record.inspection = 4
        record.keepsHello = true
        return record
    }()

    /// A session of a vsock client with a vsock server.
    static let vsock: SessionRecord = {
        var record = proxied
        record.peer = nil
        record.client.kind = .vsock
        record.server?.kind = .vsock
        record.vsockPeer = VsockAddress(cid: 3, port: 4711)
        return record
    }()

    @Test("what was inspected is recorded", arguments: [inspected, inspecting, vsock])
    func recordsInspection(record: SessionRecord) throws {
        let file = SessionFile(nextSessionID: 78, [record])
        #expect(try SessionFile(decoding: file.encode()) == file)
    }

    @Test("a record of an earlier release, without inspection or story, is read")
    func readsEarlier() throws {
        var writer = RecordWriter()
        Self.idle.encode(into: &writer)
        // The vsock client's address, the story, and the inspection, without any text.
        for count in [2, 2 + 14, 2 + 14 + 9] {
            var reader = RecordReader(writer.bytes.dropLast(count))
            #expect(try SessionRecord(from: &reader) == Self.idle)
            #expect(reader.isAtEnd)
        }
    }

    private static let impossible: [@Sendable (inout SessionRecord) -> Void] = [
        { $0.inspection = 9 }, { $0.inspection = 1 }, { $0.route?.request = 3 },
        { $0.route?.asksForTLS = false }, { $0.announced?.serverName = Array("A b".utf8) },
        { $0.announced?.protocols = [3, 1] }, { $0.announced?.protocols = [0] },
        { $0.toServer.parked = Array(repeating: 9, count: 40_000) },
    ]

    @Test("an impossible state of an inspection is malformed", arguments: impossible.indices)
    func refusesImpossible(index: Int) throws {
        var record = Self.inspected
        Self.impossible[index](&record)
        let bytes = SessionFile(nextSessionID: 78, [record]).encode()
        #expect(try SessionFile(decoding: bytes).entries.map(\.record) == [nil])
    }

    private let file = SessionFile(nextSessionID: 78, [idle, proxied])

    @Test("an encoded file decodes to equal values in every field")
    func reads() throws {
        #expect(try SessionFile(decoding: file.encode()) == file)
        #expect(file.entries.map(\.descriptorCount) == [1, 4])
        let empty = SessionFile(nextSessionID: 1, [])
        #expect(try SessionFile(decoding: empty.encode()) == empty)
    }

    @Test("a truncated file is malformed, wherever it ends")
    func refusesTruncated() throws {
        let small = SessionFile(nextSessionID: 2, [Self.idle])
        let bytes = small.encode()
        for count in 0..<bytes.count {
            #expect(throws: count < 8 ? RecordError.foreign : .malformed) {
                try SessionFile(decoding: Array(bytes.prefix(count)))
            }
        }
        #expect(throws: RecordError.malformed) { try SessionFile(decoding: bytes + [0]) }
    }

    @Test("a file of another version or another program is recognized")
    func refusesForeign() throws {
        var bytes = file.encode()
        bytes[8] = 2
        #expect(throws: RecordError.version(2)) { try SessionFile(decoding: bytes) }
        bytes[0] = 0
        #expect(throws: RecordError.foreign) { try SessionFile(decoding: bytes) }
    }

    @Test("a malformed record does not affect others, and its descriptors are counted")
    func skipsMalformed() throws {
        var bad = Self.proxied
        bad.id = 0
        let mixed = SessionFile(nextSessionID: 78, [bad, Self.idle])
        let read = try SessionFile(decoding: mixed.encode())
        #expect(read.entries[0] == SessionFile.Entry(nil, descriptorCount: 4))
        #expect(read.entries[1].record == Self.idle)
    }

    @Test("bytes that a newer release appends to a record are ignored")
    func leavesOut() throws {
        var record = RecordWriter()
        Self.idle.encode(into: &record)
        var writer = RecordWriter()
        writer.append(contentsOf: Array(SessionFile(nextSessionID: 2, []).encode().dropLast(4)))
        writer.append(UInt32(1))
        writer.append(UInt32(record.bytes.count + 5))
        writer.append(UInt8(1))
        writer.append(contentsOf: record.bytes + [1, 2, 3, 4, 5])
        let read = try SessionFile(decoding: writer.bytes)
        #expect(read.entries.map(\.record) == [Self.idle])
    }

    @Test("impossible values are refused, such as a server without a name")
    func refusesImpossible() throws {
        func expectRefused(_ change: (inout SessionRecord) -> Void) throws {
            var record = Self.proxied
            change(&record)
            let bytes = SessionFile(nextSessionID: 1, [record]).encode()
            #expect(try SessionFile(decoding: bytes).entries.map(\.record) == [nil])
        }
        try expectRefused { $0.id = .max }
        try expectRefused { $0.position = .max }
        try expectRefused { $0.toServer.taken = .max }
        try expectRefused { $0.toClient.given = .max }
        try expectRefused { $0.toServer.parked.append(1) }
        try expectRefused { $0.route?.server = "" }
        try expectRefused { $0.route?.owedHeader = 3 }
        try expectRefused { $0.server = nil }
        try expectRefused { $0.awaitsHeader = true }
        try expectRefused { $0.route?.isConnecting = true }
    }
}
