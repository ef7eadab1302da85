import TestSupport
import Testing

extension ServiceTests {
    private static let folder = "/run/systemd/system/verypolld.service.d"

    /// Fails if systemd-analyze rates the unit's exposure above `tenths`.
    private func expectExposure(atMost tenths: Int) throws {
        let analyzed = try lab.run(
            "systemd-analyze",
            "security",
            "--no-pager",
            "--threshold=\(tenths)",
            "verypolld.service"
        )
        #expect(analyzed.exit == .code(0), "\(analyzed.standardOutput)")
        #expect(analyzed.standardOutput.contains("Overall exposure level"))
    }

    /// Runs the daemon with a drop-in.
    private func with(dropIn text: String, _ body: () throws -> Void) throws {
        try lab.stop()
        try lab.write(text, to: "\(Self.folder)/test.conf")
        try lab.must("systemctl", "daemon-reload")
        defer {
            // A test that threw has already failed; the next test stops the daemon itself.
            _ = try? lab.stop()
            _ = try? lab.run("rm", "\(Self.folder)/test.conf")
            _ = try? lab.run("systemctl", "daemon-reload")
        }
        try body()
    }

    @Test("the units pass systemd-analyze verify, with an exposure of at most 1.2")
    func analyzes() throws {
        let verified = try lab.run(
            "systemd-analyze",
            "verify",
            "verypolld.service",
            "verypolld.socket",
            "verypolld-varlink.socket",
            "verypolld-metrics.socket"
        )
        #expect(verified.exit == .code(0))
        #expect(verified.standardOutput + verified.standardError == "")
        try expectExposure(atMost: 12)
    }

    @Test("the sandbox allows no system calls of asynchronous I/O, such as io_uring_setup(2)")
    func deniesAsynchronousIO() throws {
        let allowed = try lab.property("SystemCallFilter").split(separator: " ")
        #expect(allowed.contains("epoll_wait") && allowed.contains("splice"))
        #expect(!allowed.contains { $0.hasPrefix("io_") }, "\(allowed)")
    }

    @Test("without a network, and an exposure of at most 0.5, it proxies from a systemd socket")
    func proxiesWithoutNetwork() throws {
        let profile = try lab.must("cat", "/usr/local/share/verypolld/unix-only.conf")
        let example = "/usr/local/share/doc/verypolld/examples/unix-only.json"
        try with(dropIn: profile) {
            try lab.must("cp", example, "/etc/verypolld/verypolld.json")
            let words = ["UNIX-LISTEN:/run/app.sock,fork,mode=666,unlink-early", "EXEC:cat"]
            let server = try lab.start("socat", words)
            // 00010000 is the flag of a listening socket; the file appears a moment before that.
            let listens = ["-q", " 00010000 0001 .* /run/app.sock$", "/proc/net/unix"]
            try eventually("the server") {
                try lab.start("grep", listens).finish().exit == .code(0)
            }
            try lab.must("systemctl", "start", "verypolld.socket")
            #expect(try answer(to: "through", port: 8080) == "through")
            let text = String(repeating: "much more of it, ", count: 5000)
            #expect((try answer(to: text, port: 8080) == text) == true)

            let own = try lab.must("readlink", "/proc/\(try lab.property("MainPID"))/ns/net")
            #expect(try own != lab.must("readlink", "/proc/1/ns/net"))
            try lab.must("verypollctl", "ping")
            try expectExposure(atMost: 5)
            withExtendedLifetime(server) {}
        }
    }

    @Test("with PrivateUsers=, group members may act and others may only read")
    func tellsUsersApart() throws {
        let configuration = """
            {
              "control": { "mode": "0666" },
              "listeners": {
                "echo": { "listen": ["127.0.0.1:7007"], "handler": { "type": "echo" } }
              }
            }
            """
        try with(dropIn: "[Service]\nPrivateUsers=yes\n") {
            try lab.restart(configuration: configuration)
            #expect(try answer(to: "hi", port: 7007) == "hi")
            try lab.must("verypollctl", "ping")
            let nobody = ["--reuid=nobody", "--regid=nogroup"]
            let kill = ["verypollctl", "sessions", "kill", "123456"]
            let member = try lab.start("setpriv", nobody + ["--groups=verypoll"] + kill).finish()
            #expect(member.standardError.contains("no session 123456"))
            let stranger = try lab.start("setpriv", nobody + ["--clear-groups"] + kill).finish()
            #expect(stranger.exit == .code(4))
            #expect(stranger.standardError.contains("not permitted"))
        }
    }
}
