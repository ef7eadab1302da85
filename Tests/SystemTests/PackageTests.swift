import TestSupport
import Testing

@Suite("Debian package on a machine without Swift", .serialized)
struct PackageTests {
    let lab: Lab

    init() throws {
        lab = try Lab.bare.get()
    }

    /// Installs a package or upgrades to it, without prompts.
    private func install(revision: Int = 1) throws {
        let words = ["DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y", "install"]
        try lab.must("env", words + ["/root/verypolld-\(revision).deb"])
    }

    /// Starts from a freshly installed package.
    func reinstall() throws {
        try lab.must("dpkg", "--purge", "verypolld")
        try install()
    }

    /// Ensures that the package is installed, in any state.
    private func ensureInstalled() throws {
        let state = try lab.run("dpkg-query", "-Wf${Status}", "verypolld").standardOutput
        if state != "install ok installed" { try reinstall() }
    }

    /// Lists the system's files, except for logs and timestamps, and the files of services that may
    /// start at any time.
    private func files() throws -> Set<Substring> {
        let script = #"""
            find /etc /usr /var -xdev | grep -vE \
                -e '^/var/(log|cache|tmp)/' -e '^/var/lib/(apt|dpkg)/.*(-old|lock)' \
                -e '^/etc/.*-$' -e '^/var/lib/(PackageKit|systemd/linger)'
            """#
        return Set(try lab.must("sh", "-c", script).split(separator: "\n"))
    }

    private func echo(_ text: String) throws -> String {
        let script = #"printf %s "$1" | timeout 20 socat -t 10 - TCP:127.0.0.1:7007"#
        return try lab.must("sh", "-c", script, "sh", text)
    }

    @Test("lintian reports no errors or warnings")
    func isLinted() throws {
        let words = ["--fail-on", "error,warning", "--allow-root", try Lab.package(revision: 1)]
        let result = try Program("lintian", words).finish(within: .seconds(120))
        #expect(result.exit == .code(0), "\(result.standardOutput)")
    }

    @Test("it runs without Swift, starts only when enabled, and serves")
    func serves() throws {
        #expect(try lab.run("sh", "-c", "command -v swift").exit != .code(0))
        #expect(try !lab.must("ldconfig", "-p").contains("libswift"))
        try reinstall()
        #expect(try lab.property("ActiveState") == "inactive")
        #expect(try lab.property("UnitFileState") == "disabled")

        try lab.must("systemctl", "start", "verypolld")
        #expect(try lab.must("verypollctl", "status").contains("verypolld - version"))
        #expect(try echo("packed") == "packed")
        let mapped = try lab.must("cat", "/proc/\(try lab.property("MainPID"))/maps")
        #expect(mapped.contains("/usr/bin/verypolld"))
        #expect(!mapped.contains("libswift"))
    }

    @Test("the installed configuration is equivalent to the built-in one")
    func installsDefault() throws {
        try ensureInstalled()
        let script = try Repository.text(ofProgram: "default_configuration.py")
        try lab.must("/usr/bin/python3", "-c", script)
        try lab.must("verypolld", "--check-config")
    }

    @Test("its manual pages can be read")
    func bringsManual() throws {
        try ensureInstalled()
        for page in ["verypollctl.1", "verypolld.8", "verypolld.json.5"] {
            let text = try lab.must("man", page)
            #expect(text.hasPrefix(page.split(separator: ".")[0].uppercased()), "\(page)")
        }
        #expect(try lab.must("man", "verypolld.json").contains("listeners.NAME.listen"))
    }

    @Test("the alert rules, the dashboard and the list of metrics are installed")
    func installsMonitoring() throws {
        try ensureInstalled()
        let rules = try lab.must("cat", "/usr/share/verypolld/monitoring/alerts.yml")
        #expect(rules.contains("alert: VerypolldUpstreamDown"))
        let dashboard = "/usr/share/verypolld/monitoring/grafana-dashboard.json"
        try lab.must("/usr/bin/python3", "-m", "json.tool", dashboard, "/dev/null")
        let documents = "/usr/share/doc/verypolld/monitoring/*"
        try lab.must("sh", "-c", "zgrep -q verypolld_build_info \(documents)")
    }

    @Test("the Tab key completes verbs")
    func completes() throws {
        try ensureInstalled()
        try lab.write(". /usr/share/bash-completion/bash_completion\n", to: "/root/rc")
        // Completion needs a terminal, which the tests do not have; script(1) provides one.
        let script = #"""
            printf 'verypollctl sess\t--help\nexit\n' |
                timeout 20 script -qec 'bash --rcfile /root/rc -i' /dev/null
            """#
        let text = try lab.must("sh", "-c", script)
        #expect(text.contains("verypollctl sessions --help"), "\(text)")
        #expect(text.contains("USAGE: verypollctl sessions"), "\(text)")
    }

    @Test("an upgrade restarts a running daemon and keeps its sockets, sessions and configuration")
    func upgrades() throws {
        try reinstall()
        let configuration = """
            {
              "restart": { "keepSessions": true },
              "listeners": {
                "echo": {
                  "listen": ["127.0.0.1:7007", "systemd:web"], "handler": { "type": "echo" }
                }
              }
            }
            """
        try lab.write(configuration, to: "/etc/verypolld/verypolld.json")
        try lab.must("systemctl", "enable", "--now", "verypolld.socket", "verypolld.service")
        let before = try lab.property("MainPID")
        try lab.must("rm", "-f", "/run/go")
        try lab.must("mkfifo", "/run/go")
        let script = #"""
            exec 3<>/dev/tcp/127.0.0.1/7007
            echo before >&3; read -r line <&3; echo "$line"
            read -r line </run/go
            echo after >&3; read -r line <&3; echo "$line"
            """#
        let client = try lab.start("bash", ["-c", script])
        try client.waitForStandardOutput(containing: "before")
        let socket = try lab.property("ActiveEnterTimestampMonotonic", of: "verypolld.socket")

        try install(revision: 2)
        #expect(try lab.must("dpkg-query", "-Wf${Version}", "verypolld").hasSuffix("-2"))
        #expect(try lab.property("ActiveState") == "active")
        #expect(try lab.property("MainPID") != before)
        #expect(try lab.property("Result") == "success")
        let after = try lab.property("ActiveEnterTimestampMonotonic", of: "verypolld.socket")
        #expect(after == socket)
        #expect(try lab.must("cat", "/etc/verypolld/verypolld.json") == configuration)
        #expect(try lab.property("NeedDaemonReload") == "no")
        #expect(try lab.property("UnitFileState") == "enabled")
        #expect(try echo("newer") == "newer")
        // The session of the old version continues in the new one.
        try lab.must("sh", "-c", "echo >/run/go")
        try client.waitForStandardOutput(containing: "after")
        #expect(try client.waitForExit() == .code(0))
    }

    @Test("every byte of all sessions in transfer arrives during an upgrade")
    func upgradesUnderLoad() throws {
        try reinstall()
        let configuration = """
            {
              "restart": { "keepSessions": true },
              "listeners": {
                "front": {
                  "listen": ["127.0.0.1:7080"], "handler": { "type": "proxy", "upstream": "app" }
                }
              },
              "upstreams": { "app": { "servers": ["127.0.0.1:7090"] } }
            }
            """
        try lab.write(configuration, to: "/etc/verypolld/verypolld.json")
        try lab.must("systemctl", "start", "verypolld")
        try lab.must("rm", "-f", "/run/end")
        let count = String(RestartLoad.sessionCount)
        let load = try lab.start("/usr/bin/python3", RestartLoad.arguments())
        try load.waitForStandardOutput(containing: "started", within: .seconds(180))

        let before = try lab.property("MainPID")
        try install(revision: 2)
        #expect(try lab.property("MainPID") != before)
        try lab.must("touch", "/run/end")
        let said = try load.waitForStandardOutput(containing: "done ", within: .seconds(240))
        #expect(said.contains("done sessions=\(count) lost=0 problems=0 refused=0"), "\(said)")
    }

    @Test("an upgrade does not start a stopped daemon")
    func leavesStopped() throws {
        try reinstall()
        try install(revision: 2)
        #expect(try lab.property("ActiveState") == "inactive")
    }

    @Test("removing the package stops the daemon, and purging leaves only the user and group")
    func purges() throws {
        try lab.must("dpkg", "--purge", "verypolld")
        let before = try files()
        try install()
        let units = [
            "verypolld.service", "verypolld.socket", "verypolld-varlink.socket",
            "verypolld-metrics.socket",
        ]
        try lab.write(
            #"{ "listeners": { "web": { "listen": ["systemd:web"], "#
                + #""handler": { "type": "echo" } } } }"#,
            to: "/etc/verypolld/verypolld.json"
        )
        try lab.must("systemctl", ["enable"] + units)
        try lab.must("systemctl", ["start"] + units.reversed())
        #expect(try files().subtracting(before).count > 30)

        try lab.must("dpkg", "--remove", "verypolld")
        for unit in units {
            #expect(try lab.property("ActiveState", of: unit) == "inactive")
            #expect(try lab.property("LoadState", of: unit) == "not-found")
        }
        #expect(try lab.run("pgrep", "-x", "verypolld").exit == .code(1))
        #expect(try lab.must("cat", "/etc/verypolld/verypolld.json").contains("systemd:web"))

        try lab.must("dpkg", "--purge", "verypolld")
        let after = try files()
        #expect(after.subtracting(before).sorted() == [])
        #expect(before.subtracting(after).sorted() == [])
        let left = try lab.must("sh", "-c", "find /run -name '*verypoll*'")
        #expect(left == "")
    }
}
