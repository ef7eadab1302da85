internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("Socket activation")
struct ActivationTests {
    @Test("TCP and Unix-domain sockets are found by name, in any order")
    func findsByName() throws {
        let folder = try TemporaryDirectory()
        let tcp = try Server()
        let unix = try Server(path: folder.appending("passed"))
        let daemon = try TestDaemon(
            serving("echo", as: "first", listen: "systemd:web"),
            serving("daytime", as: "second", listen: "systemd:clock"),
            sockets: [
                PassedSocket(name: "clock", descriptor: unix.descriptor),
                PassedSocket(name: "web", descriptor: tcp.descriptor),
            ]
        )
        let first = try daemon.status(of: "first").addresses
        #expect(first == [.init(address: "127.0.0.1:\(tcp.port)", origin: .systemd)])
        let path = folder.appending("passed")
        let second = try daemon.status(of: "second").addresses
        #expect(second == [.init(address: "unix:\(path)", origin: .systemd)])
        try expectEcho("passed", from: try Client(port: tcp.port))
        let line = try Client(path: path).receiveToEnd()
        #expect(String(decoding: line, as: UTF8.self).hasSuffix("\r\n"))
    }

    @Test("children would inherit only the standard streams, and no activated sockets")
    func closesOnExecution() throws {
        let server = try Server()
        let daemon = try TestDaemon(
            serving("echo", listen: "systemd:web 127.0.0.1:0 unix:DIR/echo"),
            sockets: [PassedSocket(name: "web", descriptor: server.descriptor)]
        )
        let client = try Client(port: server.port)
        try expectEcho("hello", from: client)
        #expect(try daemon.program.openDescriptorCount() > 10)
        #expect(daemon.program.inheritableDescriptors().count <= sanitizerDescriptorCount)
    }

    @Test("a connection made before the daemon started is served")
    func servesFirstConnection() throws {
        let server = try Server()
        let client = try Client(port: server.port)
        try client.send("early")
        let daemon = try TestDaemon(
            serving("echo", listen: "systemd:web"),
            sockets: [PassedSocket(name: "web", descriptor: server.descriptor)]
        )
        #expect(try client.receive(exactly: 5) == Array("early".utf8))
        try daemon.waitForTotals("one session") { $0.accepted == 1 }
    }

    @Test("all sockets with one name belong to the listener that uses it")
    func takesAllOfName() throws {
        let servers = [try HeldServer(), try HeldServer()]
        let daemon = try TestDaemon(
            serving("echo", listen: "systemd:web"),
            sockets: servers.map { PassedSocket(name: "web", descriptor: $0.server.descriptor) }
        )
        let addresses = try daemon.status(of: "echo").addresses.map(\.address)
        #expect(addresses == servers.map { "127.0.0.1:\($0.server.port)" })
        for held in servers { try expectEcho("hello", from: try Client(port: held.server.port)) }
    }

    @Test("an activated socket that no listener uses is logged and closed")
    func closesUnknown() throws {
        let known = try Server()
        let unknown = try Server(host: 1)  // A port that no other process gets.
        let daemon = try TestDaemon(
            serving("echo", listen: "systemd:web"),
            sockets: [
                PassedSocket(name: "stranger", descriptor: unknown.descriptor),
                PassedSocket(name: "web", descriptor: known.descriptor),
            ]
        )
        let log = try daemon.program.standardError
        #expect(log.contains("passed by systemd: no listener names it"))
        #expect(log.contains("stranger"))
        try expectEcho("hello", from: try Client(port: known.port))
        // Only the daemon and the test had the socket.
        let port = unknown.port
        drop(unknown)
        // A child of another test may hold a copy of the socket until it calls execve(2).
        try eventually("the socket to be closed by the daemon") {
            try Client.isRefused(at: "127.0.0.1:\(port)")
        }
    }

    @Test("a socket that does not listen is rejected with a reason")
    func refusesConnected() throws {
        let server = try Server()
        let client = try Client(port: server.port)
        let result = try launch(passing: client.descriptor)
        #expect(result.exit == .code(71))
        let sentence = """
            verypolld: listener echo: systemd:web: the passed socket does not listen; a .socket \
            unit of this service needs Accept=no
            """
        #expect(result.standardError.contains(sentence), "\(result.standardError)")
    }

    @Test("a file that is not a socket is rejected with a reason")
    func refusesFile() throws {
        let path = FilePath("/dev/null")
        let file = try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
        let result = try file.closeAfter { try launch(passing: file) }
        #expect(result.exit == .code(71))
        #expect(result.standardError.contains("systemd:web"), "\(result.standardError)")
    }

    @Test("a name without a socket from systemd is rejected with a reason")
    func refusesMissing() throws {
        let server = try Server()
        let result = try launch(passing: server.descriptor, as: "other")
        #expect(result.exit == .code(71))
        let sentence = "listener echo: systemd:web: systemd passed no socket with this name"
        #expect(result.standardError.contains(sentence), "\(result.standardError)")
    }

    /// Starts a daemon that must reject an activated socket, and waits until it exits.
    private func launch(
        passing descriptor: FileDescriptor,
        as name: String = "web"
    ) throws -> (exit: Program.Exit, standardError: String) {
        let directory = try TemporaryDirectory()
        let text = """
            {"control": {"socket": "\(directory.path)/control"},
            "listeners": {\(serving("echo", listen: "systemd:web"))}}
            """
        let file = try directory.write(text, to: "verypolld.json")
        let program = try Program(
            "verypolld",
            ["--config", file],
            sockets: [PassedSocket(name: name, descriptor: descriptor)]
        )
        let exit = try program.waitForExit()
        return (exit, try program.standardError)
    }

    /// A server in a class, because arrays cannot hold noncopyable values.
    private final class HeldServer: Sendable {
        let server: Server

        init() throws {
            server = try Server()
        }
    }

    private func drop(_ server: consuming Server) {}
}
