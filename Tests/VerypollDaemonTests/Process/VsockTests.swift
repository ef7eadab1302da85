internal import SystemPackage
internal import TestSupport
internal import Testing
internal import Verypoll
internal import VerypollControl

@Suite("vsock listeners and servers")
struct VsockTests {
    /// An address of this machine itself, with a port that the kernel chooses.
    private static let local = "vsock:1:4294967295"
    private static let keeping = #""restart": {"keepSessions": true},"#

    @Test(
        "without vsock or its loopback, the daemon says why it cannot listen, and what to do",
        .enabled(if: !hasVsockLoopback)
    )
    func explains() throws {
        let directory = try TemporaryDirectory()
        let text = """
            {"control": {"socket": "\(directory.appending("control"))"},
            "listeners": {\(serving("echo", listen: "vsock:1:7007"))}}
            """
        let file = try directory.write(text, to: "verypolld.json")
        let result = try Program.run("verypolld", ["--config", file])
        #expect(result.exit == .code(71))
        let log = result.standardError
        #expect(log.contains("listener echo: vsock:1:7007: "), "\(log)")
        #expect(log.contains(hasVsock ? #"write "vsock:*:7007""# : "load the module"), "\(log)")
    }

    @Test(
        "a listener on all CIDs has a port that the kernel chooses, and keeps it over a restart",
        .enabled(if: hasVsock)
    )
    func survives() throws {
        let manager = try ServiceManager()
        var daemon = try TestDaemon(
            serving("echo", listen: "vsock:*:4294967295"),
            manager: manager
        )
        let address = try daemon.address()
        #expect(try #require(address.wholeMatch(of: /vsock:\*:([0-9]+)/)).1 != "4294967295")
        try eventually("the socket to be stored") { manager.names.count == 1 }
        try daemon.restart()
        #expect(try daemon.address() == address)
        #expect(try daemon.program.standardError.contains("restored 1 socket and 0 sessions"))
        // A reload keeps the socket as well.
        try daemon.rewrite(serving("echo", as: "other", listen: "vsock:*:4294967295"))
        try daemon.reload()
        #expect(try daemon.status(of: "other").addresses.count == 1)
        try manager.end()
    }

    @Test("a vsock socket that systemd passes is accepted from", .enabled(if: hasVsock))
    func adopts() throws {
        let any = VsockAddress(cid: VsockAddress.anyCID, port: VsockAddress.anyPort)
        let socket = try VsockListener(binding: any)
        let daemon = try TestDaemon(
            serving("echo", listen: "systemd:guests"),
            sockets: [PassedSocket(name: "guests", descriptor: socket.fileDescriptor)]
        )
        let address = try daemon.address()
        #expect(try address == "vsock:\(socket.localAddress())")
        if hasVsockLoopback {
            let client = try Client(address: address.replacing("*", with: "1"))
            try expectEcho(from: client)
        }
    }

    @Test(
        "a restart can change the CID of a listener that keeps its port; a reload cannot",
        .enabled(if: hasVsockLoopback)
    )
    func changesCID() throws {
        let manager = try ServiceManager()
        var daemon = try TestDaemon(serving("echo", listen: Self.local), manager: manager)
        let own = try daemon.address()
        try daemon.rewrite(serving("echo", listen: own.replacing("vsock:1:", with: "vsock:*:")))
        let problems = try daemon.refusedReload()
        #expect(problems.first?.message.contains("restart the daemon") == true, "\(problems)")
        try daemon.restart()
        try expectEcho(from: Client(address: own))
        #expect(try daemon.address().hasPrefix("vsock:*:"))
        try manager.end()
    }

    @Test(
        "socat's bytes return through a proxy with vsock on either side or on both",
        .enabled(if: hasVsockLoopback)
    )
    func proxies() throws {
        try requireProgram("socat")
        let echo = try TestDaemon(serving("echo", listen: "\(Self.local) 127.0.0.1:0"))
        let servers = try echo.status(of: "echo").addresses.map(\.address)
        let daemon = try TestDaemon(
            """
            "vsock": {"listen": ["\(Self.local)", "127.0.0.1:0"],
            "handler": {"type": "proxy", "upstream": "vsock"}},
            "tcp": {"listen": ["\(Self.local)"], "handler": {"type": "proxy", "upstream": "tcp"}}
            """,
            more: """
                "upstreams": {"vsock": {"servers": ["\(servers[0])"], "check": {}},
                "tcp": {"servers": ["\(servers[1])"]}},
                """
        )
        let entrances =
            try daemon.status(of: "vsock").addresses.map(\.address) + [daemon.address(of: "tcp")]
        let directory = try TemporaryDirectory()
        let file = try directory.write(String(repeating: "0123456789", count: 500_000), to: "bytes")
        for entrance in entrances {
            let place = entrance.replacing("vsock:", with: "VSOCK-CONNECT:")
            let address = place == entrance ? "TCP:\(entrance)" : place
            let line = "socat -t 30 - \(address) <\(file) | cmp - \(file) && echo same"
            let result = try Program.run("/bin/sh", ["-c", line])
            #expect(result.standardOutput == "same\n", "\(address): \(result.standardError)")
        }
        let silent = try Client(address: entrances[0])
        try expectEcho(from: silent)
        let session = try #require(try daemon.sessions().first)
        #expect(session.peer.wholeMatch(of: /vsock:1:[0-9]+/) != nil, "\(session.peer)")
        #expect(session.local == entrances[0])
    }

    @Test(
        "a session of a vsock client and a vsock server survives a restart",
        .enabled(if: hasVsockLoopback)
    )
    func keepsSessions() throws {
        let manager = try ServiceManager()
        let echo = try TestDaemon(serving("echo", listen: Self.local))
        var daemon = try TestDaemon(
            """
            "proxy": {"listen": ["\(Self.local)"],
            "handler": {"type": "proxy", "upstream": "app"}}
            """,
            more: Self.keeping
                + #""upstreams": {"app": {"servers": ["\#(try echo.address())"]}},"#,
            manager: manager
        )
        let client = try Client(address: daemon.address(of: "proxy"))
        try expectEcho("before", from: client)
        let peer = try daemon.sessions().map(\.peer)
        try daemon.restart()
        try expectEcho("after", from: client)
        #expect(try daemon.sessions().map(\.peer) == peer)
        try client.finishSending()
        #expect(try client.receiveToEnd() == [])
        try manager.end()
    }

    @Test(
        "a server that nothing listens for is refused, and the next one is tried",
        .enabled(if: hasVsockLoopback)
    )
    func triesNext() throws {
        let echo = try TestDaemon(serving("echo", listen: Self.local))
        let daemon = try TestDaemon(
            """
            "proxy": {"listen": ["\(Self.local)"],
            "handler": {"type": "proxy", "upstream": "app"}}
            """,
            more: """
                "upstreams": {"app": {"servers": ["vsock:1:1",
                {"address": "\(try echo.address())", "backup": true}]}},
                """
        )
        for _ in 0..<3 {
            let client = try Client(address: daemon.address(of: "proxy"))
            try expectEcho(from: client)
        }
        var peer = try ControlPeer(path: daemon.controlPath)
        let upstreams: UpstreamList = try peer.result("io.verypoll.Daemon.ListUpstreams")
        let servers = try #require(upstreams.upstreams.first).servers
        #expect(servers[0].failures > 0)
    }
}
