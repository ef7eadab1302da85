internal import Glibc
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("Control socket activation")
struct ControlActivationTests: ~Copyable {
    private let directory: TemporaryDirectory
    private let configuration: String

    init() throws {
        let directory = try TemporaryDirectory()
        let text = """
            {"workers": 1, "control": {"socket": "\(directory.path)/own"},
            "listeners": {\(serving("echo"))}}
            """
        configuration = try directory.write(text, to: "verypolld.json")
        self.directory = directory
    }

    /// Starts a daemon with these descriptors passed as its control socket.
    private func start(passing descriptors: FileDescriptor...) throws -> Program {
        try Program(
            "verypolld",
            ["--config", configuration],
            sockets: descriptors.map { PassedSocket(name: "varlink", descriptor: $0) }
        )
    }

    /// Returns the error of a daemon that refuses to start with these descriptors.
    private func refusal(of descriptors: FileDescriptor...) throws -> String {
        let program = try Program(
            "verypolld",
            ["--config", configuration],
            sockets: descriptors.map { PassedSocket(name: "varlink", descriptor: $0) }
        )
        #expect(try program.waitForExit() == .code(71))
        return try program.standardError
    }

    private func version(at path: String) throws -> String {
        var peer = try ControlPeer(path: path)
        let status: Status = try peer.result("io.verypoll.Daemon.GetStatus")
        return status.version
    }

    @Test("it is used instead of the daemon's own control socket")
    func serves() throws {
        let path = directory.appending("passed")
        let server = try Server(path: path)
        let program = try start(passing: server.descriptor)
        try program.waitForStandardError(containing: "is ready")
        #expect(try version(at: path) == Release.version)
        #expect(throws: Errno.noSuchFileOrDirectory) {
            try Stat(FilePath(directory.appending("own")))
        }
        #expect(try program.standardError.contains("using the control socket passed by systemd"))
    }

    @Test("a call made before the daemon started is answered")
    func servesFirstCall() throws {
        let path = directory.appending("passed")
        let server = try Server(path: path)
        var peer = try ControlPeer(path: path)
        try peer.client.send(ControlPeer.message("io.verypoll.Daemon.GetStatus"))
        let program = try start(passing: server.descriptor)
        let reply: ControlPeer.Reply<Status> = try peer.reply()
        #expect(reply.parameters?.version == Release.version)
        try program.waitForStandardError(containing: "is ready")
    }

    @Test("its file stays when the daemon exits")
    func leavesFile() throws {
        let path = directory.appending("passed")
        let server = try Server(path: path)
        let program = try start(passing: server.descriptor)
        try program.waitForStandardError(containing: "is ready")
        try program.send(SIGTERM)
        #expect(try program.waitForExit() == .code(0))
        #expect(try Stat(FilePath(path)).type == .socket)
    }

    @Test("a socket of another type, or one that does not listen, is rejected with a reason")
    func refuses() throws {
        let tcp = try Server()
        let silent = try Server(path: directory.appending("silent"), backlog: nil)
        let sentence = "socket named varlink is not a listening Unix stream socket"
        #expect(try refusal(of: tcp.descriptor).contains(sentence))
        #expect(try refusal(of: silent.descriptor).contains(sentence))
    }

    @Test("two control sockets are rejected with a reason")
    func refusesTwo() throws {
        let first = try Server(path: directory.appending("first"))
        let second = try Server(path: directory.appending("second"))
        let text = try refusal(of: first.descriptor, second.descriptor)
        #expect(text.contains("systemd passed 2 sockets named varlink"))
    }
}
