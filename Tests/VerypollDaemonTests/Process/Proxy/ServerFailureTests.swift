internal import Foundation
internal import SystemPackage
internal import TestSupport
internal import Testing

@Suite("servers that fail under traffic")
struct ServerFailureTests {
    @Test(
        "a server that is killed fails its own sessions and no others, and gets some when it is back",
        arguments: ["roundRobin", "leastSessions", "random"]
    )
    func survivesKill(balance: String) throws {
        let (first, second) = (try LineServer("first"), try LineServer("second"))
        defer { for server in [first, second] { try? server.end() } }
        let daemon = try TestDaemon(
            proxying(),
            more: upstreams(
                upstream(
                    [first.address, second.address],
                    #", "balance": "\#(balance)", "passive": {"fall": 3, "for": "1s"}"#
                )
            )
        )
        let address = try daemon.address(of: "front")
        let traffic = Traffic { () throws(Errno) in try Client(address: address) }
        try traffic.run {
            // One that has more of the kept connections may never get a new one.
            try traffic.wait("both to serve") {
                $0.answers(of: "first") >= 50 && $0.answers(of: "second") >= 50
                    && !traffic.keptServers.contains(nil)
            }
            #expect(traffic.failures.isEmpty)
            let onFirst = traffic.keptServers.count { $0 == "first" }
            try first.kill()
            traffic.beginPeriod()

            try traffic.wait("the other to serve alone") {
                $0.fresh["second", default: 0] >= 300 && $0.kept["second", default: 0] >= 50
            }
            #expect(traffic.tally.fresh["first"] == nil)
            expectOldFailures(traffic.failures, onFirst: onFirst)
            try first.restart()
            traffic.beginPeriod()

            // The other has all the kept ones.
            try traffic.wait("it to serve again") {
                $0.fresh["first", default: 0] >= 50 && $0.answers(of: "second") >= 50
            }
            expectOldFailures(traffic.failures, onFirst: onFirst)
        }
        try daemon.waitForNoSession()
    }

    /// Expects that nothing has failed but sessions that were on the first server when it went.
    private func expectOldFailures(_ failures: [Traffic.Failure], onFirst count: Int) {
        #expect(failures.allSatisfy { $0.period == 0 && $0.server != "second" }, "\(failures)")
        #expect(failures.count { $0.server == "first" } == count, "\(failures)")
        // Which server a new connection was on is not known; no more were under way.
        #expect(failures.count { $0.server == nil } <= Traffic.freshThreadCount, "\(failures)")
    }

    @Test("both servers are killed, and clients are reset; one comes back, and serves them")
    func survivesLossOfAll() throws {
        let (first, second) = (try LineServer("first"), try LineServer("second"))
        defer { for server in [first, second] { try? server.end() } }
        let daemon = try TestDaemon(
            proxying(),
            more: upstreams(upstream([first.address, second.address]))
        )
        let address = try daemon.address(of: "front")
        #expect(try ["first", "second"].contains(Client(address: address).ask()))
        try first.kill()
        try second.kill()
        for _ in 0..<50 {
            // The reset may come before the client knows that it is connected.
            #expect(throws: Errno.connectionReset) { _ = try Client(address: address).receive() }
        }
        try daemon.waitForNoSession()
        // An ejected server is used where there is no other.
        try second.restart()
        for _ in 0..<50 {
            #expect(try Client(address: address).ask() == "second")
        }
    }

    /// Starts a daemon in a network of its own, whose clients come over a Unix-domain socket.
    ///
    /// There, 127.0.0.1 refuses all connections, and 10.99.0.2 answers nothing: it is said to be
    /// at the other end of a cable, where nobody has this address.
    private func startInNetwork(_ member: String, workers: Int = 2) throws -> TestDaemon {
        try requireProgram("unshare")
        try requireProgram("ip")
        let script = """
            ip link set lo up &&
            ip link add near type veth peer name far &&
            ip link set near up && ip link set far up &&
            ip addr add 10.99.0.1/24 dev near &&
            ip neigh add 10.99.0.2 lladdr 02:00:00:00:00:02 dev near &&
            exec "$@"
            """
        return try TestDaemon(
            proxying(listen: "unix:DIR/front"),
            more: upstreams(member),
            workers: workers,
            launcher: ["unshare"] + asRoot + ["--net", "--", "/bin/sh", "-c", script, "sh"]
        )
    }

    /// How often the daemon has begun to connect over TCP, in its own network.
    private func attemptCount(of daemon: borrowing TestDaemon) throws -> Int {
        let path = "/proc/\(daemon.program.processID)/net/snmp"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let rows = text.split(separator: "\n").filter { $0.hasPrefix("Tcp:") }
            .map { $0.split(separator: " ") }
        guard rows.count == 2, let column = rows[0].firstIndex(of: "ActiveOpens"),
            let count = Int(rows[1][column])
        else { throw Errno.invalidArgument }
        return count
    }

    @Test("a server that refuses is tried until it is ejected, and no client notices")
    func ejectsRefusing() throws {
        let directory = try TemporaryDirectory()
        let live = try LineServer("live", path: directory.appending("live"))
        defer { try? live.end() }
        let daemon = try startInNetwork(
            upstream(["127.0.0.1:9", live.address], #", "passive": {"fall": 5, "for": "1h"}"#)
        )
        let path = daemon.directory.appending("front")
        for _ in 0..<100 { #expect(try Client(path: path).ask() == "live") }
        #expect(try attemptCount(of: daemon) == 5)
        let traffic = Traffic { () throws(Errno) in try Client(path: path) }
        try traffic.run {
            try traffic.wait("the live one to serve") { $0.fresh["live", default: 0] >= 200 }
        }
        #expect(traffic.failures.isEmpty, "\(traffic.failures)")
        #expect(try attemptCount(of: daemon) == 5)
    }

    @Test("an ejected server is tried again after its time, and is out again if it still refuses")
    func triesEjectedAgain() throws {
        let directory = try TemporaryDirectory()
        let live = try LineServer("live", path: directory.appending("live"))
        defer { try? live.end() }
        let daemon = try startInNetwork(
            upstream(["127.0.0.1:9", live.address], #", "passive": {"fall": 2, "for": "500ms"}"#)
        )
        let path = daemon.directory.appending("front")
        let begin = ContinuousClock.now
        let traffic = Traffic { () throws(Errno) in try Client(path: path) }
        try traffic.run {
            try eventually("more attempts than before the first ejection") {
                try attemptCount(of: daemon) >= 6
            }
        }
        #expect(traffic.failures.isEmpty, "\(traffic.failures)")
        // Not each client tries it: whatever time passed, it was out for most of it.
        let periods = 2 + Int((ContinuousClock.now - begin) / .milliseconds(500))
        let attempts = try attemptCount(of: daemon)
        #expect(attempts <= periods * (2 + Traffic.freshThreadCount + 1), "\(attempts)")
    }

    @Test("a server that answers nothing delays the first clients, and no one after its ejection")
    func ejectsBlackHole() throws {
        let directory = try TemporaryDirectory()
        let live = try LineServer("live", path: directory.appending("live"))
        defer { try? live.end() }
        let daemon = try startInNetwork(
            upstream(
                ["10.99.0.2:80", live.address],
                #", "connectTimeout": "6s", "passive": {"fall": 3, "for": "1h"}"#
            )
        )
        let path = daemon.directory.appending("front")
        let traffic = Traffic { () throws(Errno) in try Client(path: path) }
        try traffic.run {
            try traffic.wait("the live one to serve") {
                $0.fresh["live", default: 0] >= 100 && $0.kept["live", default: 0] >= 50
            }
            let attempts = try attemptCount(of: daemon)
            // Three have failed; others may have been on their way by then.
            #expect(attempts >= 3)
            #expect(attempts <= 3 + Traffic.freshThreadCount + 1)
            traffic.beginPeriod()
            try traffic.wait("the live one to serve alone") { $0.fresh["live", default: 0] >= 300 }
            #expect(try attemptCount(of: daemon) == attempts)
        }
        #expect(traffic.failures.isEmpty, "\(traffic.failures)")
    }

    @Test("a client is reset, and not early, where no server answers within connectTimeout")
    func resetsInBlackHole() throws {
        // Half of it is the first one's, and a daemon that is held up for the rest tries no other.
        let daemon = try startInNetwork(
            upstream(["10.99.0.2:80", "10.99.0.2:81"], #", "connectTimeout": "6s""#)
        )
        let begin = ContinuousClock.now
        let client = try Client(path: daemon.directory.appending("front"))
        // There are no resets over Unix-domain sockets; the bytes that are lost show as one.
        try client.send("lost")
        #expect(throws: Errno.connectionReset) { _ = try client.receive() }
        #expect(ContinuousClock.now - begin >= .seconds(6))
        #expect(try attemptCount(of: daemon) == 2)
    }
}

/// What unshare(1) needs where the tests do not run as root.
var asRoot: [String] { getuid() == 0 ? [] : ["--map-root-user"] }
