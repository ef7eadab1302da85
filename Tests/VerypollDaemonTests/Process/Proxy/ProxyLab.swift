internal import Glibc
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

/// A daemon that proxies to servers of the test's own.
struct ProxyLab: ~Copyable {
    let daemon: TestDaemon
    /// The server, the first one of two.
    let server: Server
    /// A server of the same kind, which gets sessions only where the lab has two servers.
    let second: Server
    /// Where clients connect.
    let address: String
    private let directory: TemporaryDirectory

    /// Starts a daemon with one listener, `proxy`, and one upstream, `app`.
    ///
    /// - Parameters:
    ///   - sides: What connections go over.
    ///   - upstream: Further members of the upstream, each with a comma before it.
    ///   - timeouts: Members of the listener's timeouts.
    ///   - backlog: How many connections may wait for the first server, less one; `nil` for one
    ///     that refuses them.
    ///   - hasTwo: Whether the second server is one of the upstream's.
    ///   - workers: How many workers the daemon has.
    /// - Throws: What keeps the daemon from starting.
    init(
        _ sides: Sides = .tcp,
        upstream: String = "",
        timeouts: String = "",
        backlog: Int32? = 1024,
        hasTwo: Bool = false,
        workers: Int = 2
    ) throws {
        let directory = try TemporaryDirectory()
        let first = directory.appending("first")
        let other = directory.appending("second")
        let isTCP = sides.server == .tcp
        let server =
            isTCP ? try Server(backlog: backlog) : try Server(path: first, backlog: backlog)
        let second = isTCP ? try Server() : try Server(path: other)
        let addresses = [
            isTCP ? "127.0.0.1:\(server.port)" : "unix:\(first)",
            isTCP ? "127.0.0.1:\(second.port)" : "unix:\(other)",
        ]
        let list = addresses.prefix(hasTwo ? 2 : 1).map { "\"\($0)\"" }.joined(separator: ", ")
        let listen = sides.client == .tcp ? "127.0.0.1:0" : "unix:DIR/listener"
        let daemon = try TestDaemon(
            """
            "proxy": {"listen": ["\(listen)"], "timeouts": {\(timeouts)},
            "handler": {"type": "proxy", "upstream": "app"}}
            """,
            more: #""upstreams": {"app": {"servers": [\#(list)]\#(upstream)}},"#,
            workers: workers
        )
        address = try daemon.address(of: "proxy")
        self.daemon = daemon
        self.server = server
        self.second = second
        self.directory = directory
    }

    /// Connects to the daemon.
    func connect() throws -> Client { try Client(address: address) }

    /// Connects to the first server, past the daemon.
    func connectToServer() throws -> Client {
        try server.port == 0
            ? Client(path: directory.appending("first")) : Client(port: server.port)
    }

    /// Connects to the daemon and takes the connection at the first server.
    func join() throws -> Joined {
        let client = try connect()
        return Joined(client: client, server: try server.accept())
    }

    /// Waits until no session is left, and nothing of any.
    func waitForNothing() throws {
        try daemon.waitForNoSession()
        #expect(try daemon.sessions() == [])
    }
}

/// A client and its server, with the daemon between them.
struct Joined: ~Copyable {
    let client: Client
    let server: Client

    /// Sends a byte each way.
    func greet() throws {
        try client.send("?")
        #expect(try server.receive(exactly: 1) == Array("?".utf8))
        try server.send("!")
        #expect(try client.receive(exactly: 1) == Array("!".utf8))
    }

    /// Gives both up to be held by several threads.
    consuming func share() -> (client: Held, server: Held) {
        (Held(client), Held(server))
    }
}

/// All that came over a connection, and how it ended.
struct Reception {
    var bytes: [UInt8] = []
    /// What it ended by; `nil` for an end of file.
    var error: Errno?
}

extension Client {
    /// Receives until the end, whichever it is.
    ///
    /// - Parameters:
    ///   - limit: The most bytes that are taken at a time.
    ///   - pause: The milliseconds of rest after each time.
    /// - Returns: What came.
    func receiveAll(atMost limit: Int = 65_536, pause: Int = 0) -> Reception {
        var reception = Reception()
        do throws(Errno) {
            while case let bytes = try receive(atMost: limit), !bytes.isEmpty {
                reception.bytes += bytes
                // A slow reader is slow; nothing is waited for here.
                if pause > 0 { usleep(UInt32(1000 * pause)) }
            }
        } catch {
            reception.error = error
        }
        return reception
    }
}
