import TestSupport
import Testing

extension ServiceTests {
    private static let unit = "verypolld-varlink.socket"
    private static let path = "/run/verypolld.sock"
    private static let registry = "/run/varlink/registry/io.verypoll.Daemon"

    @Test("the first call on systemd's control socket starts the daemon and is answered")
    func activatesByCall() throws {
        try lab.stop()
        try lab.write(Self.services, to: "/etc/verypolld/verypolld.json")
        try lab.must("systemctl", "start", Self.unit)
        #expect(try lab.property("ActiveState") == "inactive")

        let status = try lab.must("verypollctl", "status")
        #expect(status.contains("verypolld - version"))
        // The answer may arrive before systemd has received the daemon's readiness notification.
        try eventually("readiness") { try lab.property("ActiveState") == "active" }
        #expect(try answer(to: "hi", port: 7007) == "hi")
        // The daemon has not created its own control socket.
        #expect(try lab.run("test", "-e", "/run/verypolld/control.sock").exit == .code(1))
        try lab.stop()
    }

    @Test("systemd's control socket is accessible to the group and linked in Varlink's registry")
    func hasModeAndLink() throws {
        try lab.stop()
        try lab.must("systemctl", "start", Self.unit)
        let file = try lab.must("stat", "-c", "%a %U %G %F", Self.path)
        #expect(file == "660 root verypoll socket\n")
        #expect(try lab.must("readlink", "-f", Self.registry) == Self.path + "\n")
        try lab.must("verypollctl", "--socket", Self.registry, "ping")

        try lab.must("systemctl", "stop", Self.unit, "verypolld.service")
        for gone in [Self.path, Self.registry] {
            #expect(try lab.run("test", "-L", gone, "-o", "-e", gone).exit == .code(1))
        }
        try lab.stop()
    }

    @Test("systemd's control socket and its link survive a restart of the daemon")
    func survivesRestart() throws {
        try lab.stop()
        try lab.write(Self.services, to: "/etc/verypolld/verypolld.json")
        try lab.must("systemctl", "start", Self.unit, "verypolld.service")
        let before = try lab.must("stat", "-c", "%i", Self.path)
        try lab.must("systemctl", "restart", "verypolld.service")
        #expect(try lab.must("stat", "-c", "%i", Self.path) == before)
        try lab.must("verypollctl", "--socket", Self.registry, "ping")
        try lab.stop()
    }

    @Test("on systemd's control socket, group members may act and others may not even read")
    func admitsMembers() throws {
        try lab.stop()
        try lab.must("systemctl", "start", Self.unit)
        let nobody = ["--reuid=nobody", "--regid=nogroup"]
        let kill = ["verypollctl", "sessions", "kill", "123456"]
        let member = try lab.start("setpriv", nobody + ["--groups=verypoll"] + kill).finish()
        #expect(member.exit == .code(4))
        #expect(member.standardError.contains("no session 123456"))
        let stranger = try lab.start("setpriv", nobody + ["--clear-groups"] + kill).finish()
        #expect(stranger.exit != .code(0))
        #expect(!stranger.standardError.contains("no session"))
        try lab.stop()
    }
}
