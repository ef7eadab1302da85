internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("Metrics of upstreams")
struct UpstreamMetricsTests {
    private func metrics(of daemon: borrowing TestDaemon) throws -> String {
        var peer = try ControlPeer(path: daemon.controlPath)
        let text: MetricsText = try peer.result("io.verypoll.Daemon.GetMetrics")
        return text.text
    }

    /// Waits until the upstream `app` counts exactly `count` clients refused for a reason.
    private func awaitRefusals(
        _ count: Int,
        because reason: String,
        of daemon: borrowing TestDaemon
    ) throws {
        let name = "verypolld_upstream_refused_total"
        let line = #"\#(name){upstream="app",reason="\#(reason)"} \#(count)"# + "\n"
        try eventually(line) { try metrics(of: daemon).contains(line) }
    }

    /// Connects, and expects to be refused.
    private func expectRefusal(by daemon: borrowing TestDaemon) throws {
        let client = try daemon.connect(to: "front")
        #expect(throws: Errno.connectionReset) { _ = try client.receive() }
    }

    @Test("clients refused because all servers are down are counted under that reason")
    func countsDown() throws {
        let port = try reservedPort()
        let check = #", "check": {"interval": "10ms", "fall": 1}"#
        let daemon = try TestDaemon(
            proxying(),
            more: upstreams(upstream(["127.0.0.1:\(port)"], check))
        )
        try awaitRefusals(0, because: "down", of: daemon)
        try eventually("the server to go down") {
            try daemon.status().upstreams[0].servers[0].state == .down
        }
        for _ in 0..<3 { try expectRefusal(by: daemon) }
        try awaitRefusals(3, because: "down", of: daemon)
        try awaitRefusals(0, because: "unreachable", of: daemon)
    }

    @Test("clients refused because no server is reachable are counted, across reloads too")
    func countsUnreachable() throws {
        let port = try reservedPort()
        let servers = ["127.0.0.1:\(port)"]
        let daemon = try TestDaemon(proxying(), more: upstreams(upstream(servers)))
        try expectRefusal(by: daemon)
        try awaitRefusals(1, because: "unreachable", of: daemon)
        try daemon.rewrite(
            proxying(),
            more: upstreams(upstream(servers, #", "connectTimeout": "3s""#))
        )
        try daemon.reload()
        try expectRefusal(by: daemon)
        try awaitRefusals(2, because: "unreachable", of: daemon)
    }

    @Test("clients that wait in the queue for too long are counted")
    func countsQueueTimeouts() throws {
        let lab = try ProxyLab(upstream: #", "maxSessions": 1, "connectTimeout": "100ms""#)
        let first = try lab.join()
        try first.greet()
        let second = try lab.connect()
        #expect(throws: Errno.connectionReset) { _ = try second.receive() }
        try awaitRefusals(1, because: "queue_timeout", of: lab.daemon)
        try awaitRefusals(0, because: "queue_full", of: lab.daemon)
        try first.greet()
    }

    @Test("clients whose own timeout ends while no server accepts them are counted")
    func countsTimeouts() throws {
        let lab = try ProxyLab(
            upstream: #", "retry": {"for": "1h"}"#,
            timeouts: #""idle": "100ms""#,
            backlog: nil
        )
        let client = try lab.connect()
        try client.send("hello?")
        _ = client.receiveAll()
        try awaitRefusals(1, because: "timed_out", of: lab.daemon)
    }

    @Test("a server's bytes are counted while the session lives")
    func countsBytesLive() throws {
        let lab = try ProxyLab()
        let joined = try lab.join()
        try joined.client.send("12345")
        #expect(try joined.server.receive(exactly: 5) == Array("12345".utf8))
        try joined.server.send("123")
        #expect(try joined.client.receive(exactly: 3) == Array("123".utf8))
        func bytes() throws -> [Int] {
            let server = try lab.daemon.status().upstreams[0].servers[0]
            return [server.active, server.bytesIn, server.bytesOut]
        }
        try eventually("the bytes to be counted") { try bytes() == [1, 3, 5] }
        try joined.greet()
        try eventually("more bytes to be counted") { try bytes() == [1, 4, 6] }
        let text = try metrics(of: lab.daemon)
        let server = #"{upstream="app",server="127.0.0.1:\#(lab.server.port)"}"#
        #expect(text.contains("verypolld_server_received_bytes_total\(server) 4\n"))
        #expect(text.contains("verypolld_server_sent_bytes_total\(server) 6\n"))
    }

    @Test("bytes of a session are still counted after a reload of its upstream")
    func countsBytesOverReloads() throws {
        let server = try Server()
        let servers = ["127.0.0.1:\(server.port)"]
        let daemon = try TestDaemon(proxying(), more: upstreams(upstream(servers)))
        let joined = Joined(client: try daemon.connect(to: "front"), server: try server.accept())
        try joined.greet()
        // After the reload, another server is first in the list.
        try daemon.rewrite(
            proxying(),
            more: upstreams(upstream(["127.0.0.1:9", servers[0]], #", "connectTimeout": "3s""#))
        )
        try daemon.reload()
        try joined.greet()
        try eventually("the bytes to be counted") {
            let known = try daemon.status().upstreams[0].servers
            return known.map(\.bytesIn) == [0, 2] && known.map(\.bytesOut) == [0, 2]
        }
    }
}
