internal import Foundation
internal import SystemPackage
internal import TestSupport
internal import Testing

@Suite("Servers given by name")
struct ServerNameTests {
    /// A daemon that sees the test's own name service files instead of the machine's.
    private struct Lab: ~Copyable {
        let daemon: TestDaemon
        let address: String
        private let files: TemporaryDirectory

        /// Starts a daemon whose upstream has one server, `app.test`.
        init(port: UInt16, hosts: String, keys: String = "") throws {
            try requireProgram("unshare")
            let files = try TemporaryDirectory()
            let names = try files.write(hosts, to: "hosts")
            let order = try files.write("hosts: files\n", to: "nsswitch.conf")
            let script = """
                mount --bind '\(names)' /etc/hosts &&
                mount --bind '\(order)' /etc/nsswitch.conf &&
                exec "$@"
                """
            let launcher = ["unshare"] + asRoot + ["--mount", "--propagation", "private", "--"]
            let daemon = try TestDaemon(
                proxying(),
                more: upstreams(
                    upstream(["app.test:\(port)"], #", "resolve": {"every": "50ms"}"# + keys)
                ),
                launcher: launcher + ["/bin/sh", "-c", script, "sh"]
            )
            address = try daemon.address(of: "front")
            self.daemon = daemon
            self.files = files
        }

        func setHosts(_ text: String) throws {
            _ = try files.write(text, to: "hosts")
        }
    }

    @Test("a changed name moves new sessions to the new address, and live ones stay")
    func followsName() throws {
        let first = try LineServer("first", host: 1)
        let second = try LineServer("second", host: 2, port: first.port)
        defer { for server in [first, second] { try? server.end() } }
        let lab = try Lab(port: first.port, hosts: "127.0.0.1 app.test\n")
        let address = lab.address
        let live = try Client(address: address)
        #expect(try live.ask() == "first")
        let traffic = Traffic { () throws(Errno) in try Client(address: address) }
        try traffic.run {
            try traffic.wait("the first to serve") {
                $0.fresh["first", default: 0] >= 50 && !traffic.keptServers.contains(nil)
            }
            try lab.setHosts("127.0.0.2 app.test\n")
            try traffic.wait("the second to serve") { $0.fresh["second", default: 0] >= 10 }
            traffic.beginPeriod()
            try traffic.wait("many to be served") {
                $0.fresh["second", default: 0] >= 100 && $0.kept["first", default: 0] >= 50
            }
            #expect(traffic.tally.fresh["first"] == nil)
            #expect(traffic.tally.kept["second"] == nil)
        }
        #expect(traffic.failures.isEmpty, "\(traffic.failures)")
        #expect(try live.ask() == "first")
    }

    @Test("all addresses of a name are tried before a client is refused")
    func triesAllAddresses() throws {
        let server = try LineServer("app", host: 4)
        defer { try? server.end() }
        let lab = try Lab(
            port: server.port,
            hosts: "127.0.0.2 app.test\n127.0.0.3 app.test\n127.0.0.4 app.test\n"
        )
        for _ in 0..<50 { #expect(try Client(address: lab.address).ask() == "app") }
    }

    @Test("a daemon starts without an address for a name, and serves once there is one")
    func startsWithoutName() throws {
        let server = try LineServer("app")
        defer { try? server.end() }
        let lab = try Lab(port: server.port, hosts: "")
        try lab.daemon.program.waitForStandardError(containing: "app.test:\(server.port)")
        // The reset may arrive before the client sees its connect complete.
        #expect(throws: Errno.connectionReset) { _ = try Client(address: lab.address).receive() }
        try lab.setHosts("127.0.0.1 app.test\n")
        try eventually("the name to be resolved") { answer(of: lab.address) == "app" }
        for _ in 0..<20 { #expect(try Client(address: lab.address).ask() == "app") }
    }

    @Test("with retry.for, a client is held until a name's first lookup succeeds")
    func holdsForName() throws {
        let server = try LineServer("app")
        defer { try? server.end() }
        let lab = try Lab(port: server.port, hosts: "", keys: #", "retry": {"for": "1h"}"#)
        let held = try Client(address: lab.address)
        try held.send("who\n")
        try lab.daemon.program.waitForStandardError(containing: "app.test:\(server.port)")
        #expect(try held.receiveNow() == nil)
        try lab.setHosts("127.0.0.1 app.test\n")
        #expect(try held.receiveLine() == "app who")
    }

    @Test("if a name no longer resolves, the last addresses are kept")
    func keepsLostName() throws {
        let server = try LineServer("app")
        defer { try? server.end() }
        let lab = try Lab(port: server.port, hosts: "127.0.0.1 app.test\n")
        try eventually("the name to be resolved") { answer(of: lab.address) == "app" }
        try lab.setHosts("")
        try lab.daemon.program.waitForStandardError(containing: "its last addresses are kept")
        for _ in 0..<50 { #expect(try Client(address: lab.address).ask() == "app") }
    }

    private func answer(of address: String) -> String? {
        do throws(Errno) { return try Client(address: address).ask() } catch { return nil }
    }
}
