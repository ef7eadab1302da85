import DaemonTestSupport
import Synchronization
import SystemPackage
import TestSupport
import Testing
import Verypoll

@testable import VerypollConfiguration
@testable import VerypollServer

@Suite("HealthChecker")
struct HealthCheckerTests {
    private typealias Fixture = HealthCheckerFixture

    @Test("a server that accepts stays up, and sees a reset from who says nothing")
    func connects() throws {
        let server = try Server()
        var fixture = try Fixture(["127.0.0.1:\(server.port)"])
        #expect(fixture.beginChecks() == [])
        #expect(try fixture.finishChecks() == [])
        #expect(fixture.failure() == nil)
        #expect(!fixture.upstream.servers[0].isDown)
        let connection = try server.accept()
        #expect(throws: Errno.connectionReset) { try connection.receive() }
        #expect(fixture.log.takeLines() == [])
    }

    @Test("a server that refuses goes down after so many failures, and comes up as it accepts")
    func goesDownAndUp() throws {
        // Bound all the time, lest another test has the port.
        let listener = try Server(backlog: nil)
        let address = SocketAddress.loopback(port: listener.port)
        var fixture = try Fixture(["\(address)"]) {
            $0.check?.fall = 2
            $0.check?.rise = 2
        }
        let server = fixture.upstream.servers[0]
        #expect(try fixture.beginChecks() + fixture.finishChecks() == [])
        #expect(!server.isDown)
        #expect(
            fixture.log.takeLines() == ["info a check of app/\(address) failed: Connection refused"]
        )
        #expect(try fixture.beginChecks() + fixture.finishChecks() == [.down])
        #expect(server.isDown)
        #expect(fixture.failure() == "Connection refused")
        #expect(fixture.log.takeLines() == ["warning app/\(address) is down: Connection refused"])
        #expect(try fixture.beginChecks() + fixture.finishChecks() == [])
        #expect(fixture.log.takeLines() == [])

        try listener.listen()
        #expect(try fixture.beginChecks() + fixture.finishChecks() == [])
        #expect(server.isDown)
        #expect(try fixture.beginChecks() + fixture.finishChecks() == [.up])
        #expect(!server.isDown)
        #expect(fixture.log.takeLines() == ["notice app/\(address) is up again"])
    }

    @Test("a server that swallows connections goes down when the time is over, and not before")
    func timesOutConnecting() throws {
        var options = TCPListener.Options()
        options.backlog = 0
        let listener = try TCPListener(binding: .loopback(port: 0), options: options)
        defer { withExtendedLifetime(listener) {} }
        let address = try listener.localAddress()
        // It has room for one connection; the kernel ignores those that come next.
        let first = try Client(port: address.port)
        defer { withExtendedLifetime(first) {} }
        var fixture = try Fixture(["\(address)"])
        #expect(fixture.beginChecks() == [])
        #expect(fixture.checker.deadline == fixture.now + .seconds(2))
        fixture.now += .milliseconds(1999)
        #expect(fixture.checker.tick(now: fixture.now).isEmpty)
        fixture.now += .milliseconds(1)
        #expect(fixture.checker.tick(now: fixture.now).map(\.change) == [.down])
        #expect(fixture.failure() == "no connection in time")
    }

    @Test("what is to be sent arrives, and an answer that contains what is expected is right")
    func exchanges() throws {
        let server = try Server()
        var fixture = try Fixture(["127.0.0.1:\(server.port)"]) {
            $0.check?.send = "PING\r\n"
            $0.check?.expect = "+PONG"
        }
        #expect(fixture.beginChecks() == [])
        let connection = try server.accept()
        while try connection.receiveNow() != Array("PING\r\n".utf8) { try fixture.handleEvents() }
        for piece in ["hello +P", "O"] {
            try connection.send(piece)
            try fixture.handleEvents()
            #expect(fixture.checker.isChecking == true)
        }
        try connection.send("NG 1234\r\n")
        #expect(try fixture.finishChecks() == [])
        #expect(fixture.failure() == nil)
    }

    @Test(
        "an answer without the expected bytes that ends or is late is a failure that shows it",
        arguments: [
            ("+OK\r\n", false, "no expected answer in time, but \"+OK\\u000D\\u000A\""),
            ("+PO", true, "its answer ended after \"+PO\""),
            ("", true, "its answer ended after \"\""),
        ]
    )
    func rejects(answer: String, isFinished: Bool, reason: String) throws {
        let server = try Server()
        var fixture = try Fixture(["127.0.0.1:\(server.port)"]) { $0.check?.expect = "+PONG" }
        #expect(fixture.beginChecks() == [])
        let connection = try server.accept()
        try connection.send(answer)
        if isFinished {
            try connection.finishSending()
            #expect(try fixture.finishChecks() == [.down])
        } else {
            try connection.waitUntilTaken()
            #expect(fixture.expireChecks() == [.down])
        }
        #expect(fixture.failure() == reason)
    }

    @Test("an unexpected answer to a ready-made check is a failure at once")
    func rejectsAtOnce() throws {
        let server = try Server()
        var fixture = try Fixture(["127.0.0.1:\(server.port)"]) { $0.check?.service = .redis }
        #expect(fixture.beginChecks() == [])
        let connection = try server.accept()
        try connection.send("-LOADING\r\n")
        #expect(try fixture.finishChecks() == [.down])
        #expect(fixture.failure() == "it answered \"-LOADING\\u000D\\u000A\"")
    }

    @Test("a check connects to its own port instead of the server's")
    func usesPort() throws {
        let server = try Server()
        let port = server.port
        var fixture = try Fixture(["127.0.0.1:1"]) { $0.check?.port = port }
        #expect(try fixture.beginChecks() + fixture.finishChecks() == [])
        #expect(fixture.failure() == nil)
        _ = try server.accept()
    }

    @Test("a server is unchecked until the first result, and the last result is kept")
    func knowsUnchecked() throws {
        let server = try Server()
        var fixture = try Fixture(["127.0.0.1:\(server.port)"])
        let index = ServerIndex(upstream: 0, server: 0)
        #expect(fixture.upstream.servers[0].awaitsFirstCheck)
        #expect(fixture.checker.lastCheck(of: index) == nil)
        #expect(fixture.upstream.pick(source: nil, excluding: [], now: 0) == .server(0))
        #expect(try fixture.beginChecks() + fixture.finishChecks() == [])
        #expect(!fixture.upstream.servers[0].awaitsFirstCheck)
        #expect(fixture.checker.takeFirstResults() == [index])
        #expect(fixture.checker.takeFirstResults() == [])
        let result = fixture.checker.lastCheck(of: index)
        #expect(result?.failure == nil && result?.duration == .zero)
        let counters = fixture.upstream.servers[0]
        #expect(counters.counters.checkSuccesses.load(ordering: .relaxed) == 1)
        #expect(counters.counters.checkFailures.load(ordering: .relaxed) == 0)
        #expect(counters.counters.checkTime.histogram.count == 1)
    }

    @Test("an answer counts that is there when the time is over, though nobody has looked before")
    func seesLate() throws {
        let server = try Server()
        var fixture = try Fixture(["127.0.0.1:\(server.port)"]) { $0.check?.expect = "+PONG" }
        #expect(fixture.beginChecks() == [])
        let connection = try server.accept()
        try connection.send("+PONG")
        try connection.waitUntilTaken()
        #expect(fixture.expireChecks() == [])
        #expect(fixture.failure() == nil)
        #expect(fixture.checker.isChecking == false)
    }

    @Test("a server that connects and never answers goes down when the time is over")
    func timesOutWaiting() throws {
        let server = try Server()
        var fixture = try Fixture(["127.0.0.1:\(server.port)"]) { $0.check?.expect = "+PONG" }
        #expect(fixture.beginChecks() == [])
        let connection = try server.accept()
        try connection.send("+PO")
        try fixture.handleEvents()
        #expect(fixture.expireChecks() == [.down])
        #expect(fixture.failure() == "no expected answer in time, but \"+PO\"")
    }

    @Test("an endless answer is not read on once the expected bytes are found")
    func readsLittle() throws {
        let server = try Server()
        var fixture = try Fixture(["127.0.0.1:\(server.port)"]) { $0.check?.expect = "x" }
        #expect(fixture.beginChecks() == [])
        let connection = try server.accept()
        try connection.send(Array(repeating: UInt8(ascii: "x"), count: 65_536))
        #expect(try fixture.finishChecks() == [])
        #expect(fixture.failure() == nil)
    }

    @Test("the check begins with the PROXY header of nobody's connection, and ends as clients do")
    func sendsHeader() throws {
        let headers: [(UpstreamConfiguration.ProxyHeader, [UInt8])] = [
            (.v1, Array("PROXY UNKNOWN\r\n".utf8)),
            (.v2, [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10, 0x20, 0, 0, 0]),
        ]
        for (header, bytes) in headers {
            let server = try Server()
            var fixture = try Fixture(["127.0.0.1:\(server.port)"]) {
                $0.proxyProtocol = header
                $0.check?.send = "Q"
            }
            #expect(try fixture.beginChecks() + fixture.finishChecks() == [])
            #expect(try server.accept().receiveToEnd() == bytes + [UInt8(ascii: "Q")])
        }
    }

    @Test("Unix-domain servers are checked as well")
    func checksUnix() throws {
        let directory = try TemporaryDirectory()
        let path = directory.appending("app.sock")
        var fixture = try Fixture(["unix:\(path)"])
        #expect(fixture.beginChecks() == [.down])
        #expect(fixture.failure() == "No such file or directory")
        let server = try Server(path: path)
        #expect(try fixture.beginChecks() + fixture.finishChecks() == [.up])
        #expect(try server.accept().receiveToEnd() == [])
    }

    // MARK: Addresses

    @Test("all addresses of a name are tried, and one that works is enough")
    func triesAddresses() throws {
        let nobody = try Server(backlog: nil)
        defer { withExtendedLifetime(nobody) {} }
        let gone = SocketAddress.loopback(port: nobody.port)
        let server = try Server()
        var fixture = try Fixture(["app.example:80"])
        let working = SocketAddress.loopback(port: server.port)
        fixture.upstream.servers[0].resolve(to: [.tcp(gone), .tcp(working)])
        #expect(try fixture.beginChecks() + fixture.finishChecks() == [])
        #expect(fixture.failure() == nil)
        fixture.upstream.servers[0].resolve(to: [.tcp(gone), .tcp(gone)])
        #expect(try fixture.beginChecks() + fixture.finishChecks() == [.down])
        #expect(fixture.failure() == "\(gone): Connection refused")
    }

    @Test("an address that swallows connections leaves the others their share of the time")
    func sharesTime() throws {
        var options = TCPListener.Options()
        options.backlog = 0
        let listener = try TCPListener(binding: .loopback(port: 0), options: options)
        defer { withExtendedLifetime(listener) {} }
        let full = try listener.localAddress()
        let first = try Client(port: full.port)
        defer { withExtendedLifetime(first) {} }
        let server = try Server()
        var fixture = try Fixture(["app.example:80"])
        let working = SocketAddress.loopback(port: server.port)
        fixture.upstream.servers[0].resolve(to: [.tcp(full), .tcp(working)])
        #expect(fixture.beginChecks() == [])
        #expect(fixture.checker.deadline == fixture.now + .seconds(1))
        fixture.now += .seconds(1)
        #expect(fixture.checker.tick(now: fixture.now).isEmpty)
        #expect(try fixture.finishChecks() == [])
        #expect(fixture.failure() == nil)
    }

    @Test("a server without an address is not checked, and at once when it has one")
    func waitsForName() throws {
        let server = try Server()
        var fixture = try Fixture(["app.example:80"])
        #expect(fixture.beginChecks() == [])
        #expect(fixture.checker.isChecking == false)
        #expect(!fixture.upstream.servers[0].isDown)
        fixture.upstream.servers[0].resolve(to: [.tcp(.loopback(port: server.port))])
        fixture.checker.check(ServerIndex(upstream: 0, server: 0), now: fixture.now)
        #expect(fixture.checker.deadline == fixture.now)
        #expect(fixture.checker.tick(now: fixture.now).isEmpty)
        #expect(try fixture.finishChecks() == [])
        _ = try server.accept()
    }

    // MARK: Times

    @Test("the first checks are made within a tenth of a second, and not all at once")
    func spreadsFirst() throws {
        let server = try Server()
        var fixture = try Fixture(["127.0.0.1:\(server.port)"]) {
            $0.servers = Array(repeating: $0.servers[0], count: 20)
        }
        var moments: Set<ContinuousClock.Instant> = []
        while let due = fixture.checker.deadline, due < Fixture.start + .milliseconds(100) {
            #expect(due >= Fixture.start)
            moments.insert(due)
            _ = fixture.checker.tick(now: due)
            _ = try fixture.finishChecks()
        }
        #expect(moments.count > 15)
        for server in 0..<20 { #expect(fixture.failure(of: server) == nil) }
    }

    @Test("checks follow each other by the interval, a tenth more or less")
    func jitters() throws {
        let server = try Server()
        var fixture = try Fixture(["127.0.0.1:\(server.port)"])
        _ = try fixture.beginChecks() + fixture.finishChecks()
        var intervals: Set<Duration> = []
        for _ in 0..<50 {
            let deadline = fixture.checker.deadline
            let due = try #require(deadline)
            let interval = fixture.now.duration(to: due)
            #expect(interval >= .milliseconds(4500))
            #expect(interval <= .milliseconds(5500))
            intervals.insert(interval)
            fixture.now = due
            _ = fixture.checker.tick(now: due)
            _ = try fixture.finishChecks()
        }
        #expect(intervals.count > 40)
    }

    @Test("only so many checks are under way at a time, and the others follow")
    func limitsChecks() throws {
        let server = try Server()
        let count = HealthChecker.probeLimit + 6
        var fixture = try Fixture(["127.0.0.1:\(server.port)"]) {
            $0.servers = Array(repeating: $0.servers[0], count: count)
            $0.check?.expect = "never"
        }
        #expect(fixture.beginChecks() == [])
        #expect(fixture.checker.deadline == fixture.now + .seconds(2))
        #expect(fixture.expireChecks().count == HealthChecker.probeLimit)
        #expect(fixture.checker.isChecking == true)
        #expect(fixture.expireChecks().count >= 6)
        let failed = (0..<count).filter { fixture.failure(of: $0) != nil }
        #expect(failed.count == count)
    }

    @Test("an upstream without checks has none")
    func checksNothing() throws {
        let fixture = try Fixture(["127.0.0.1:1"]) { $0.check = nil }
        #expect(fixture.checker.deadline == nil)
    }
}
