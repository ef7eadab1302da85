import TestSupport
import Testing

extension ServiceTests {
    private static let unit = "verypolld-metrics.socket"
    private static let path = "/run/systemd/report/io.verypoll.Daemon"

    /// Collects the metrics as systemd-report does, and returns them as JSON.
    private func report() throws -> String {
        let text = try Repository.text(ofProgram: "metrics_report.py")
        return try lab.must("/usr/bin/python3", ["-c", text, Self.path, "io.systemd.Metrics"])
    }

    /// Whether the socket's file exists.
    private var isOpen: Bool {
        get throws { try lab.run("test", "-e", Self.path).exit == .code(0) }
    }

    @Test("with the unit enabled, the metrics are in /run/systemd/report while the service runs")
    func reportsMetrics() throws {
        try lab.restart(configuration: Self.services)
        #expect(try !isOpen)
        try lab.must("systemctl", "enable", Self.unit)
        defer {
            // A test that threw has already failed; the next test stops the daemon itself.
            _ = try? lab.run("systemctl", "disable", Self.unit)
            _ = try? lab.stop()
        }
        try lab.must("systemctl", "restart", "verypolld")
        #expect(try lab.property("ActiveState", of: Self.unit) == "active")
        let file = try lab.must("stat", "-c", "%a %U %G %F", Self.path)
        #expect(file == "660 root verypoll socket\n")
        #expect(try answer(to: "counted", port: 7007) == "counted")
        let metrics = try report()
        let accepted = #""name": "io.verypoll.Daemon.ListenerAcceptedTotal", "object": "echo", "#
        #expect(metrics.contains(accepted + #""value": 1}"#), "\(metrics)")

        try lab.must("systemctl", "restart", "verypolld")
        #expect(try report().contains(accepted + #""value": 0}"#))

        // A report must not start a service that was stopped.
        try lab.must("systemctl", "stop", "verypolld")
        try eventually("the end of the socket") { try !isOpen }
        #expect(try lab.property("ActiveState", of: Self.unit) == "inactive")
        try lab.must("systemctl", "start", "verypolld")
        #expect(try report().contains(accepted))
    }

    @Test("the metrics are readable for the group, and for no other user")
    func protectsMetrics() throws {
        try lab.restart(configuration: Self.services)
        try lab.must("systemctl", "stop", "verypolld")
        try lab.must("systemctl", "start", Self.unit, "verypolld.service")
        let text = try Repository.text(ofProgram: "metrics_report.py")
        let read = ["/usr/bin/python3", "-c", text, Self.path, "io.systemd.Metrics"]
        let nobody = ["--reuid=nobody", "--regid=nogroup"]
        let member = try lab.start("setpriv", nobody + ["--groups=verypoll"] + read).finish()
        #expect(member.exit == .code(0), "\(member.standardError)")
        let stranger = try lab.start("setpriv", nobody + ["--clear-groups"] + read).finish()
        #expect(stranger.standardError.contains("Permission denied"))
        try lab.stop()
    }
}
