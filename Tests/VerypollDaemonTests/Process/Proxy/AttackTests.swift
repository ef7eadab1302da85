internal import DaemonTestSupport
internal import Foundation
internal import Glibc
internal import Synchronization
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

// Serialized, because each test needs thousands of descriptors.
@Suite("Limits under attack", .serialized)
struct AttackTests {
    /// The number of connections of an attack: the environment variable `VERYPOLL_ATTACK`, or a
    /// default that keeps the test short.
    private static let connectionCount =
        ProcessInfo.processInfo.environment["VERYPOLL_ATTACK"].flatMap { Int($0) } ?? 3000

    private static let wasterCount = 5000

    /// How a client wastes a session.
    enum Waste: String, CaseIterable, Sendable {
        case silence
        case oneByte
        case halfHeader
        case halfBinaryHeader
        case halfHello

        /// The bytes that it sends before it stays silent.
        var bytes: [UInt8] {
            switch self {
            case .silence: []
            case .oneByte: Array("x".utf8)
            case .halfHeader: Array("PROXY TCP4 10.0".utf8)
            case .halfHello: Array(ClientHelloBytes("app.test").record.dropLast())
            case .halfBinaryHeader: Array("\r\n\r\n\0\r\nQUIT\n\u{21}\u{11}\0".utf8)
            }
        }

        /// The setting that limits its session.
        var keys: String {
            switch self {
            case .silence: #", "timeouts": {"firstByte": "2s"}"#
            case .oneByte: #", "timeouts": {"idle": "2s"}"#
            case .halfHello: #", "timeouts": {"inspect": "2s"}"#
            case .halfHeader, .halfBinaryHeader:
                #", "proxyProtocol": {"from": ["127.0.0.1"], "timeout": "2s"}"#
            }
        }
    }

    @Test(
        """
        5,000 clients that waste their places never have more of them than there are, are ended by \
        the timeouts, and hold up neither others on that listener nor those on another
        """,
        arguments: Waste.allCases
    )
    func endsWasters(waste: Waste) throws {
        try raiseDescriptorLimit(toAtLeast: 16_000)
        let server = try LineServer("app")
        defer { try? server.end() }
        let limit = 1000
        let daemon = try TestDaemon(
            proxying(as: "wasted", #", "maxSessions": \#(limit)"# + waste.keys)
                .replacing(
                    #""upstream""#,
                    with: waste == .halfHello
                        ? #""inspect": "tls", "notTLS": "app", "upstream""#
                        : #""upstream""#
                ),
            proxying(as: "other"),
            more: upstreams(upstream([server.address]))
        )
        let other = try daemon.address(of: "other")
        let port = try port(of: "wasted", daemon)
        let honest = try Client(address: other)
        #expect(try honest.ask() == "app")
        let descriptors = try daemon.program.openDescriptorCount()

        var most = 0
        var served = 0
        // On a slow machine, few clients are served during one attack.
        while served < 3 {
            let attack = Attack(port: port, count: Self.wasterCount, sending: waste.bytes)
            // While the daemon is stopped, more clients connect than the limit allows.
            try daemon.program.send(SIGSTOP)
            try attack.run {
                try eventually("an attack") { attack.startedCount > limit }
                try daemon.program.send(SIGCONT)
                try eventually("all clients to be disconnected", within: .seconds(120)) {
                    most = max(most, try daemon.status(of: "wasted").active)
                    #expect(try Client(address: other).ask() == "app")
                    #expect(try honest.ask() == "app")
                    served += 1
                    return attack.endedCount == Self.wasterCount
                }
            }
        }
        #expect(most <= limit)
        // Otherwise the limit was never reached, and the test proves nothing.
        try daemon.program.waitForStandardError(
            containing: "the limit of \(limit) sessions is reached"
        )
        // Clients on this listener have the same short timeout.
        try eventually("others to be served on the same listener, now that there is room") {
            answer(from: 2, port: port) == "app"
        }
        try eventually("all sessions but one to end") {
            try daemon.status().totals.active == 1
        }
        try eventually("the descriptors to be closed") {
            try daemon.program.openDescriptorCount() <= descriptors + sanitizerDescriptorCount
        }
    }

    /// Returns a client's answer, or `nil` if it was disconnected first.
    private func answer(from source: UInt8, port: UInt16) -> String? {
        do throws(Errno) { return try Client(from: source, port: port).ask() } catch { return nil }
    }

    @Test("with room for them, 5,000 silent clients delay no one on the same listener")
    func bearsSilence() throws {
        try raiseDescriptorLimit(toAtLeast: 16_000)
        let daemon = try TestDaemon(serving("echo", #", "maxSessions": 6000"#))
        let port = try port(of: "echo", daemon)
        let attack = Attack(port: port, count: Self.wasterCount, sending: [])
        try attack.run {
            try eventually("all clients to be connected") {
                try daemon.status(of: "echo").active == Self.wasterCount
            }
            for _ in 0..<100 {
                let client = try Client(port: port)
                try client.send("hello")
                #expect(try client.receive(exactly: 5) == Array("hello".utf8))
            }
            #expect(attack.endedCount == 0)
        }
    }

    @Test("a source that connects nonstop gets its share of sessions, and others get theirs")
    func boundsSource() throws {
        let server = try LineServer("app")
        defer { try? server.end() }
        let limit = 20
        let daemon = try TestDaemon(
            proxying(#", "maxSessionsPerSource": \#(limit)"#),
            more: upstreams(upstream([server.address]))
        )
        let port = try port(of: "front", daemon)
        let address = try daemon.address(of: "front")
        let holders = try (0..<limit).map { _ in Held(try Client(address: address)) }
        defer { withExtendedLifetime(holders) {} }
        for held in holders { #expect(try held.client.ask() == "app") }

        let attempts = Attempts()
        let isEnough = Flag()
        let work = ConcurrentWork {
            while !isEnough.isSet {
                // The reset may arrive before the client sees its connect complete.
                let end: Result<[UInt8], Errno> = Result { () throws(Errno) in
                    let client = try Client(port: port)
                    return try client.receive()
                }
                #expect(end == .failure(Errno.connectionReset))
                attempts.add()
            }
        }
        defer { isEnough.set() }
        var served = 0
        while work.isRunning, served <= 10 || attempts.number < Self.connectionCount {
            let client = try Client(from: 2, port: port)
            #expect(try client.ask() == "app")
            served += 1
            #expect(try holders[0].client.ask() == "app")
            let sessions = try daemon.sessions().count { $0.peer.hasPrefix("127.0.0.1:") }
            #expect(sessions == limit)
        }
        isEnough.set()
        try work.join()
        #expect(served > 10)
        #expect(server.record.accepted == limit + served)
        #expect(try daemon.status(of: "front").accepted == limit + served)
        // Denials are counted at the end of a worker's turn, after the clients are reset.
        try eventually("all denials to be counted") {
            try deniedCount(of: "front", daemon) == attempts.number
        }
    }

    @Test("connections are accepted no faster than acceptRate, and none is lost")
    func boundsRate() throws {
        let (rate, burst) = (500, 50)
        let daemon = try TestDaemon(
            serving(
                "echo",
                #", "acceptRate": {"perSecond": \#(rate), "burst": \#(burst)}"#
            ),
            serving("echo", as: "other")
        )
        let address = try daemon.address()
        let other = try daemon.address(of: "other")
        let begin = ContinuousClock.now
        let count = 1500
        let work = ConcurrentWork {
            var crowd = EchoCrowd(address: address, clientCount: count, sizes: 1...1000)
            crowd.concurrency = 200
            let outcome = try crowd.run()
            #expect(outcome.failures == [])
            #expect(outcome.completed == count)
        }
        while work.isRunning {
            let accepted = try daemon.status(of: "echo").accepted
            // The time is read after the counter, so the rate allows at least this many.
            let seconds = (ContinuousClock.now - begin) / .seconds(1)
            #expect(Double(accepted) <= Double(burst) + Double(rate) * seconds)
            let client = try Client(address: other)
            try client.send("hello")
            #expect(try client.receive(exactly: 5) == Array("hello".utf8))
        }
        try work.join()
        // The clients took at least as long as the rate requires.
        let least = Double(count - burst) / Double(rate)
        #expect((ContinuousClock.now - begin) / .seconds(1) >= least)
    }

    @Test("a connection without a valid PROXY header is reset, reaches no server and leaks nothing")
    func resetsGarbage() throws {
        let server = try LineServer("app")
        defer { try? server.end() }
        let daemon = try TestDaemon(
            proxying(#", "proxyProtocol": {"from": ["127.0.0.1"], "timeout": "1h"}"#),
            more: upstreams(upstream([server.address]))
        )
        let port = try port(of: "front", daemon)
        #expect(try Client(from: 2, port: port).ask() == "app")
        try daemon.waitForNoSession()
        let descriptors = try daemon.program.openDescriptorCount()
        var generator = Generator(state: 0x6A72)
        for round in 0..<Self.connectionCount {
            let client = try Client(port: port)
            try client.send(Self.garbage(round, using: &generator))
            let end: Result<[UInt8], Errno> = Result { () throws(Errno) in try client.receive() }
            #expect(end == .failure(Errno.connectionReset), "round \(round)")
            if round % 100 == 0 { #expect(try Client(from: 2, port: port).ask() == "app") }
        }
        #expect(server.record.accepted == 1 + (Self.connectionCount + 99) / 100)
        #expect(try deniedCount(of: "front", daemon) == Self.connectionCount)
        try daemon.waitForNoSession()
        try eventually("the descriptors to be closed") {
            try daemon.program.openDescriptorCount() <= descriptors + sanitizerDescriptorCount
        }
    }

    /// Returns bytes that do not begin a PROXY header, or a header with an error.
    private static func garbage(_ round: Int, using generator: inout Generator) -> [UInt8] {
        let noise = (0..<Int.random(in: 16...600, using: &generator)).map { _ in
            UInt8.random(in: 0...255, using: &generator)
        }
        switch round % 4 {
        case 0: return noise
        // An unknown version.
        case 1: return Array("\r\n\r\n\0\r\nQUIT\n\u{31}\u{11}\0\u{0C}".utf8) + noise
        // A line that exceeds the maximum length.
        case 2: return Array("PROXY ".utf8) + [UInt8](repeating: 0x41, count: 200)
        // An invalid address.
        default: return Array("PROXY TCP4 1.2.3.4.5 6 7 8\r\n".utf8) + noise
        }
    }

    /// Returns how many connections a listener has denied, according to its metrics.
    private func deniedCount(of name: String, _ daemon: borrowing TestDaemon) throws -> Int? {
        var peer = try ControlPeer(path: daemon.controlPath)
        let metrics: MetricsText = try peer.result("io.verypoll.Daemon.GetMetrics")
        let start = "verypolld_listener_denied_total{listener=\"\(name)\"} "
        let line = metrics.text.split(separator: "\n").first { $0.hasPrefix(start) }
        return line.flatMap { Int($0.dropFirst(start.count)) }
    }

    private func port(of name: String, _ daemon: borrowing TestDaemon) throws -> UInt16 {
        let address = try daemon.address(of: name)
        guard let port = address.split(separator: ":").last.flatMap({ UInt16($0) }) else {
            throw Errno.invalidArgument
        }
        return port
    }
}

/// Counts attempts.
private final class Attempts: Sendable {
    private let count = Atomic(0)

    var number: Int { count.load(ordering: .relaxed) }

    func add() { count.add(1, ordering: .relaxed) }
}
