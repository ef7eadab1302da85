internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("Files of Unix-domain listeners")
struct SocketFileTests {
    private func echo(_ socket: String = "") -> String {
        serving("echo", listen: "unix:DIR/echo", socket.isEmpty ? "" : #", "socket": {\#(socket)}"#)
    }

    private func mode(_ daemon: borrowing TestDaemon) throws -> CInterop.Mode {
        try Stat(FilePath(daemon.directory.appending("echo"))).permissions.rawValue
    }

    private func inode(_ daemon: borrowing TestDaemon) throws -> Inode {
        try Stat(FilePath(daemon.directory.appending("echo"))).inode
    }

    @Test("by default the daemon's user and group may connect, and a configured mode applies")
    func hasMode() throws {
        #expect(try mode(TestDaemon(echo())) == 0o660)
        #expect(try mode(TestDaemon(echo(#""mode": "0606""#))) == 0o606)
    }

    @Test("a reload changes the mode of a live socket and keeps the same file")
    func reloads() throws {
        let daemon = try TestDaemon(echo())
        let before = try inode(daemon)
        try daemon.rewrite(echo(#""mode": "0600""#))
        #expect(try daemon.reload() == ["/listeners/echo/socket/mode"])
        #expect(try mode(daemon) == 0o600)
        #expect(try inode(daemon) == before)
        let client = try Client(path: daemon.directory.appending("echo"))
        try client.send("hi")
        #expect(try client.receive(exactly: 2) == Array("hi".utf8))
    }

    @Test("a reload with an unknown group is rejected at its position, and changes nothing")
    func refusesUnknownGroup() throws {
        let daemon = try TestDaemon(
            echo(),
            serving("discard", listen: "unix:DIR/discard")
        )
        try daemon.rewrite(
            echo(#""mode": "0600""#),
            serving(
                "discard",
                listen: "unix:DIR/discard",
                #", "socket": {"group": "no-such-group"}"#
            )
        )
        let problems = try daemon.refusedReload()
        #expect(problems.map(\.pointer) == ["/listeners/discard/socket/group"])
        try daemon.program.waitForStandardError(
            containing: "/listeners/discard/socket/group: unix:\(daemon.directory.path)/discard:"
                + " no group is named"
        )
        #expect(try mode(daemon) == 0o660)
    }

    @Test("a start with an unknown user fails and names the place")
    func refusesUnknownUser() throws {
        let directory = try TemporaryDirectory()
        let text = """
            {"control": {"socket": "\(directory.path)/control"}, "listeners": {
              "echo": {"listen": ["unix:\(directory.path)/echo"], "handler": {"type": "echo"},
                "socket": {"owner": "no-such-user"}}}}
            """
        let file = try directory.write(text, to: "verypolld.json")
        let result = try Program.run("verypolld", ["--config", file])
        #expect(result.exit == .code(71))
        #expect(result.standardError.contains("no user is named \"no-such-user\""))
    }

    @Test("a restart applies the configured mode to the file of a stored socket")
    func restarts() throws {
        let manager = try ServiceManager()
        var daemon = try TestDaemon(echo(), manager: manager)
        let before = try inode(daemon)
        let waiting = try Client(path: daemon.directory.appending("echo"))
        try daemon.rewrite(echo(#""mode": "0666""#))
        try daemon.restart()
        #expect(try mode(daemon) == 0o666)
        #expect(try inode(daemon) == before)
        withExtendedLifetime(waiting) {}
        try manager.end()
    }
}
