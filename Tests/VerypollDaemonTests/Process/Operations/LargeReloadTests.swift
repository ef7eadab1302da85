internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

/// Reloads that open and close so many sockets that other orders arrive meanwhile.
@Suite("Large reloads")
struct LargeReloadTests {
    private static let count = 400

    /// The members of `listeners` that a large reload adds.
    private static let others = (0..<count).map { serving("daytime", as: "extra\($0)") }
        .joined(separator: ",\n")

    @Test("orders that arrive during a reload are carried out, on the new configuration")
    func carriesOutOrders() throws {
        try raiseDescriptorLimit(toAtLeast: 4096)
        let address = "127.0.0.1:\(try reservedPort())"
        let daemon = try TestDaemon(serving("echo", listen: address))
        let session = try daemon.connect()
        try expectEcho("before", from: session)
        try daemon.rewrite(serving("echo", listen: address, #", "maxSessions": 9"#), Self.others)
        var reloader = try ControlPeer(path: daemon.controlPath)
        try reloader.client.send(ControlPeer.message("io.verypoll.Daemon.Reload"))
        try daemon.order("Drain", #"{"listener": "echo"}"#)
        #expect(throws: Errno.connectionRefused) { _ = try Client(address: address) }
        let changes: ControlPeer.Reply<ChangeList> = try reloader.reply()
        #expect(changes.error == nil)
        let echo = try daemon.status(of: "echo")
        #expect(echo.state == .draining)
        #expect(echo.maxSessions == 9)
        #expect(try daemon.status().listeners.count == Self.count + 1)
        _ = try daemon.connect(to: "extra\(Self.count - 1)").receiveToEnd()

        try daemon.order("Resume")
        try expectEcho("after", from: try daemon.connect())
        try expectEcho("still there", from: session)
    }

    @Test("all listeners are drained and resumed with one call each")
    func drainsAll() throws {
        try raiseDescriptorLimit(toAtLeast: 4096)
        let port = try reservedPort()
        let daemon = try TestDaemon(serving("echo", listen: "127.0.0.1:\(port)"), Self.others)
        #expect(try daemon.status().listeners.count == Self.count + 1)
        let descriptors = try daemon.program.openDescriptorCount()
        try daemon.order("Drain")
        // Other tests may get the ports that the kernel chose, so only the descriptors show that
        // all sockets are closed.
        #expect(try daemon.program.openDescriptorCount() <= descriptors - Self.count)
        #expect(throws: Errno.connectionRefused) { _ = try Client(port: port) }
        try daemon.order("Resume")
        #expect(try daemon.status().listeners.allSatisfy { $0.state == .accepting })
        try expectEcho("after", from: try daemon.connect())
    }

    @Test("removed listeners have closed their sockets when the reload is answered")
    func closesSockets() throws {
        try raiseDescriptorLimit(toAtLeast: 4096)
        let port = try reservedPort()
        let daemon = try TestDaemon(
            serving("echo"),
            serving("discard", listen: "127.0.0.1:\(port)"),
            Self.others
        )
        let session = try daemon.connect()
        try expectEcho("before", from: session)
        let descriptors = try daemon.program.openDescriptorCount()
        try daemon.rewrite(serving("echo"))
        try daemon.reload()
        #expect(try daemon.program.openDescriptorCount() <= descriptors - Self.count)
        #expect(throws: Errno.connectionRefused) { _ = try Client(port: port) }
        try expectEcho("still there", from: session)
    }

    @Test("a reload that removes more servers than a mailbox has places is answered")
    func removesServers() throws {
        let servers = (0..<2000).map { "10.0.\($0 / 250).\($0 % 250):80" }
        func upstreams(_ count: Int) -> String {
            #""upstreams": {\#(upstream(Array(servers.prefix(count))))},"#
        }
        let daemon = try TestDaemon(proxying(), more: upstreams(servers.count))
        try daemon.rewrite(proxying(), more: upstreams(1))
        #expect(try daemon.reload() == ["/upstreams/app/servers"])
        #expect(try daemon.status().upstreams.map(\.servers.count) == [1])
    }

    @Test("a stop during a reload waits for its end, and the daemon then stops")
    func stops() throws {
        try raiseDescriptorLimit(toAtLeast: 4096)
        let daemon = try TestDaemon(serving("echo"))
        try daemon.rewrite(serving("echo"), Self.others)
        var reloader = try ControlPeer(path: daemon.controlPath)
        try reloader.client.send(ControlPeer.message("io.verypoll.Daemon.Reload"))
        try daemon.stop(forRestart: false)
        #expect(try daemon.program.waitForExit() == .code(0))
        // The reload is in effect, is refused, or has not begun.
        while let message = try reloader.receive() { #expect(!message.isEmpty) }
    }
}
