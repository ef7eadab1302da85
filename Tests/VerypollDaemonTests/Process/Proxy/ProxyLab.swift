internal import Glibc
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

/// A daemon that proxies to servers of the test.
struct ProxyLab: ~Copyable {
    let daemon: TestDaemon
    /// The first of the two servers.
    let server: Server
    /// A server of the same kind, which is in the upstream only if the lab has two servers.
    let second: Server
    /// The address for clients.
    let address: String
    /// The addresses of both servers, as the configuration has them.
    let serverAddresses: [String]
    private let directory: TemporaryDirectory

    /// Starts a daemon with one listener, `proxy`, and one upstream, `app`.
    ///
    /// - Parameters:
    ///   - sides: The transports of the connections.
    ///   - upstream: Further members of the upstream, each preceded by a comma.
    ///   - timeouts: Members of the listener's timeouts.
    ///   - backlog: The most connections that may wait for the first server, less one; `nil` to
    ///     refuse all.
    ///   - otherBacklog: The same for the second server.
    ///   - hasTwo: Whether the second server is in the upstream.
    ///   - workers: The number of workers.
    /// - Throws: The reason why the daemon does not start.
    init(
        _ sides: Sides = .tcp,
        upstream: String = "",
        timeouts: String = "",
        backlog: Int32? = 1024,
        otherBacklog: Int32? = 1024,
        hasTwo: Bool = false,
        workers: Int = 2
    ) throws {
        let directory = try TemporaryDirectory()
        let first = directory.appending("first")
        let other = directory.appending("second")
        let isTCP = sides.server == .tcp
        let server =
            isTCP ? try Server(backlog: backlog) : try Server(path: first, backlog: backlog)
        let second =
            isTCP
            ? try Server(backlog: otherBacklog) : try Server(path: other, backlog: otherBacklog)
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
        serverAddresses = addresses
        self.directory = directory
    }

    /// Connects to the daemon.
    func connect() throws -> Client { try Client(address: address) }

    /// Connects to the first server, bypassing the daemon.
    func connectToServer() throws -> Client {
        try server.port == 0
            ? Client(path: directory.appending("first")) : Client(port: server.port)
    }

    /// Connects to the second server, past the daemon.
    func connectToSecond() throws -> Client {
        try second.port == 0
            ? Client(path: directory.appending("second")) : Client(port: second.port)
    }

    /// Sets the state of the first server, or of the second.
    func set(_ state: String, second isSecond: Bool = false) throws {
        let server = serverAddresses[isSecond ? 1 : 0]
        try daemon.order(
            "SetServer",
            #"{"upstream": "app", "server": "\#(server)", "state": "\#(state)"}"#
        )
    }

    /// Waits until the only session has chosen the first server, or the second.
    func waitForChoice(ofSecond isSecond: Bool = false) throws {
        let server = serverAddresses[isSecond ? 1 : 0]
        try eventually("a session on \(server)") {
            try daemon.sessions().map(\.server) == [server]
        }
    }

    /// Connects to the daemon and accepts its connection at the first server.
    func join() throws -> Joined {
        let client = try connect()
        return Joined(client: client, server: try server.accept())
    }

    /// Waits until all sessions have ended, and expects that none is listed anymore.
    func waitForNothing() throws {
        try daemon.waitForNoSession()
        #expect(try daemon.sessions() == [])
    }
}

/// A client and its server, connected through the daemon.
struct Joined: ~Copyable {
    let client: Client
    let server: Client

    /// Sends a byte in each direction.
    func greet() throws {
        try client.send("?")
        #expect(try server.receive(exactly: 1) == Array("?".utf8))
        try server.send("!")
        #expect(try client.receive(exactly: 1) == Array("!".utf8))
    }

    /// Releases both ends, to be held by several threads.
    consuming func share() -> (client: Held, server: Held) {
        (Held(client), Held(server))
    }
}

/// The bytes received over a connection, and how it ended.
struct Reception {
    var bytes: [UInt8] = []
    /// The error that ended it, or `nil` for end of file.
    var error: Errno?
}

extension Client {
    /// Receives until end of file or an error.
    ///
    /// - Parameters:
    ///   - limit: The most bytes per read.
    ///   - pause: The pause after each read, in milliseconds.
    /// - Returns: The bytes and the end.
    func receiveAll(atMost limit: Int = 65_536, pause: Int = 0) -> Reception {
        var reception = Reception()
        do throws(Errno) {
            while case let bytes = try receive(atMost: limit), !bytes.isEmpty {
                reception.bytes += bytes
                // This makes the reader slow; nothing is awaited.
                if pause > 0 { usleep(UInt32(1000 * pause)) }
            }
        } catch {
            reception.error = error
        }
        return reception
    }
}
