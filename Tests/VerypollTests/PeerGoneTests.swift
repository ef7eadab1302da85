#if OSPoll && OSExt && Net
import Foundation
import SystemPackage
import TestSupport
import Testing
import Verypoll

/// Checks the table in the article "When the peer goes away" against the kernel.
@Suite("Events when the peer goes away")
struct PeerGoneTests {
    /// A row of the article's table.
    struct Row: CustomTestStringConvertible, Sendable {
        let source: String
        let event: String
        /// The names of the flags, in column order.
        let flags: [String]

        var testDescription: String { "\(source): \(event)" }
    }

    @Test("each row of the article matches the kernel's behavior", arguments: rows)
    func holds(row: Row) throws {
        let situation = try #require(Self.situations[row.source]?[row.event], "unknown row")
        var flags: [String] = []
        do {
            try eventually("the flags of \(row.testDescription)") {
                flags = try situation()
                return flags == row.flags
            }
        } catch {
            Issue.record("\(flags) instead of \(row.flags): \(error)")
        }
    }

    @Test("the article covers every situation")
    func isComplete() {
        let described = Set(Self.rows.map(\.testDescription))
        let known = Self.situations.flatMap { source, events in
            events.keys.map { "\(source): \($0)" }
        }
        #expect(described == Set(known))
    }

    static let columns = ["readable", "writable", "read-closed", "write-closed", "error"]

    static let rows: [Row] = {
        let article = URL(filePath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Sources/Verypoll/Verypoll.docc/PeerGone.md")
        let text = (try? String(contentsOf: article, encoding: .utf8)) ?? ""
        let cells = text.split(separator: "\n").filter { $0.hasPrefix("|") }.map { line in
            line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        }
        return cells.dropFirst(2).map { cells in
            let flags = zip(columns, cells[2...]).filter { $1 == "yes" }.map(\.0)
            return Row(source: cells[0], event: cells[1], flags: flags)
        }
    }()
}

/// Returns the flags of a source that is watched for reading and writing.
private func flags(of source: borrowing some Source & ~Copyable) throws -> [String] {
    var poll = try Poll()
    try poll.registry.register(
        source,
        token: Token(0),
        interest: [.readable, .writable],
        mode: .level
    )
    guard let event = try pendingEvents(in: &poll).first else { return [] }
    let values = [
        event.isReadable, event.isWritable, event.isReadClosed, event.isWriteClosed, event.isError,
    ]
    return zip(PeerGoneTests.columns, values).filter(\.1).map(\.0)
}

extension PeerGoneTests {
    /// An action of the peer, and the flags that this end has afterwards.
    static let situations: [String: [String: @Sendable () throws -> [String]]] = [
        "TCP stream": tcp, "Unix stream": unix, "Unix datagram": datagrams, "UDP": udp,
        "pipe receiver": receivers, "pipe sender": senders, "TCP listener": listeners,
    ]

    private static let tcp: [String: @Sendable () throws -> [String]] = [
        "nothing happens": {
            let pair = try TCPPair()
            return try flags(of: pair.client)
        },
        "sends bytes": {
            let pair = try TCPPair()
            _ = try pair.server.write([1].span)
            return try flags(of: pair.client)
        },
        "shuts down writing": {
            let pair = try TCPPair()
            try pair.server.shutdown(.write)
            return try flags(of: pair.client)
        },
        "shuts down reading": {
            let pair = try TCPPair()
            try pair.server.shutdown(.read)
            return try flags(of: pair.client)
        },
        "shuts down both directions": {
            let pair = try TCPPair()
            try pair.server.shutdown(.both)
            return try flags(of: pair.client)
        },
        "both ends shut down writing": {
            let pair = try TCPPair()
            try pair.server.shutdown(.write)
            try pair.client.shutdown(.write)
            return try flags(of: pair.client)
        },
        "closes": {
            let pair = try TCPPair()
            let client = pair.keepClient()
            return try flags(of: client)
        },
        "closes, then this end writes": {
            let pair = try TCPPair()
            let client = pair.keepClient()
            _ = try client.write([1].span)
            return try flags(of: client)
        },
        "closes with bytes unread": {
            let pair = try TCPPair()
            _ = try pair.client.write([1].span)
            let client = pair.keepClient()
            return try flags(of: client)
        },
        "resets": {
            let pair = try TCPPair()
            let client = pair.keepClient(resetting: true)
            return try flags(of: client)
        },
        "refuses the connect": {
            let nobody = try Nobody()
            let client = try TCPStream(connectingTo: nobody.address)
            return try flags(of: client)
        },
    ]

    private static let listeners: [String: @Sendable () throws -> [String]] = [
        "nothing happens": {
            let listener = try TCPListener(binding: .loopback(port: 0))
            return try flags(of: listener)
        },
        "waits to be accepted": {
            let listener = try TCPListener(binding: .loopback(port: 0))
            let client = try TCPStream(connectingTo: listener.localAddress())
            defer { withExtendedLifetime(client.fileDescriptor) {} }
            return try flags(of: listener)
        },
        "resets while it waits": {
            let listener = try TCPListener(binding: .loopback(port: 0))
            let client = try TCPStream(connectingTo: listener.localAddress())
            client.reset()
            return try flags(of: listener)
        },
    ]

    private static let unix: [String: @Sendable () throws -> [String]] = [
        "nothing happens": {
            let pair = try UnixStream.pair()
            return try flags(of: pair.first)
        },
        "sends bytes": {
            let pair = try UnixStream.pair()
            _ = try pair.second.write([1].span)
            return try flags(of: pair.first)
        },
        "shuts down writing": {
            let pair = try UnixStream.pair()
            try pair.second.shutdown(.write)
            return try flags(of: pair.first)
        },
        "shuts down reading": {
            let pair = try UnixStream.pair()
            try pair.second.shutdown(.read)
            return try flags(of: pair.first)
        },
        "shuts down both directions": {
            let pair = try UnixStream.pair()
            try pair.second.shutdown(.both)
            return try flags(of: pair.first)
        },
        "both ends shut down writing": {
            let pair = try UnixStream.pair()
            try pair.second.shutdown(.write)
            try pair.first.shutdown(.write)
            return try flags(of: pair.first)
        },
        "closes": {
            let pair = try UnixStream.pair()
            discard(pair.second)
            return try flags(of: pair.first)
        },
        "closes with bytes unread": {
            let pair = try UnixStream.pair()
            _ = try pair.first.write([1].span)
            discard(pair.second)
            return try flags(of: pair.first)
        },
    ]

    private static let datagrams: [String: @Sendable () throws -> [String]] = [
        "nothing happens": {
            let pair = try UnixDatagram.pair()
            return try flags(of: pair.first)
        },
        "shuts down writing": {
            let pair = try UnixDatagram.pair()
            try pair.second.shutdown(.write)
            return try flags(of: pair.first)
        },
        "shuts down reading": {
            let pair = try UnixDatagram.pair()
            try pair.second.shutdown(.read)
            return try flags(of: pair.first)
        },
        "closes": {
            let pair = try UnixDatagram.pair()
            discard(pair.second)
            return try flags(of: pair.first)
        },
    ]

    private static let udp: [String: @Sendable () throws -> [String]] = [
        "nothing happens": {
            let socket = try UDPSocket(binding: .loopback(port: 0))
            return try flags(of: socket)
        },
        "no socket has the destination port": {
            let nobody = try UDPSocket(binding: .loopback(port: 0))
            // A socket connected to itself rejects datagrams from others, so its port counts as
            // unused.
            try nobody.connect(to: nobody.localAddress())
            let socket = try UDPSocket(binding: .loopback(port: 0))
            try socket.connect(to: nobody.localAddress())
            _ = try socket.send([1].span)
            return try flags(of: socket)
        },
    ]

    private static let receivers: [String: @Sendable () throws -> [String]] = [
        "nothing happens": {
            let pipe = try UnixPipe()
            return try flags(of: pipe.receiver)
        },
        "closes": {
            let pipe = try UnixPipe()
            discard(pipe.sender)
            return try flags(of: pipe.receiver)
        },
        "closes with bytes unread": {
            let pipe = try UnixPipe()
            _ = try pipe.sender.write([1].span)
            discard(pipe.sender)
            return try flags(of: pipe.receiver)
        },
    ]

    private static let senders: [String: @Sendable () throws -> [String]] = [
        "nothing happens": {
            let pipe = try UnixPipe()
            return try flags(of: pipe.sender)
        },
        "closes": {
            let pipe = try UnixPipe()
            discard(pipe.receiver)
            return try flags(of: pipe.sender)
        },
        "closes while the pipe is full": {
            let pipe = try UnixPipe()
            let bytes = [UInt8](repeating: 0, count: 65_536)
            while try pipe.sender.write(bytes.span) != nil {}
            discard(pipe.receiver)
            return try flags(of: pipe.sender)
        },
    ]
}

/// Ends a value's lifetime early.
private func discard<Value: ~Copyable>(_ value: consuming Value) {}

extension TCPPair {
    /// Closes or resets the server's end, and returns the client's.
    fileprivate consuming func keepClient(resetting: Bool = false) -> TCPStream {
        if resetting { server.reset() } else { discard(server) }
        return client
    }
}
#endif
