import TestSupport
import Testing

@Suite("verypolld under systemd", .serialized)
struct ServiceTests {
    static let services = """
        {
          "control": { "group": "verypoll" },
          "log": { "sessions": true },
          "listeners": {
            "echo":    { "listen": ["127.0.0.1:7007"], "handler": { "type": "echo" } },
            "discard": { "listen": ["127.0.0.1:7009"], "handler": { "type": "discard" } },
            "daytime": { "listen": ["127.0.0.1:7013"], "handler": { "type": "daytime" } },
            "drop":    { "listen": ["127.0.0.1:7017"], "handler": { "type": "drop" } },
            "chargen": { "listen": ["127.0.0.1:7019"], "handler": { "type": "chargen" } }
          }
        }
        """

    let lab: Lab

    init() throws {
        lab = try Lab.shared.get()
    }

    /// Sends `text` with a foreign client, shuts down writing, and returns the answer.
    func answer(to text: String, port: Int) throws -> String {
        let script = #"printf %s "$1" | timeout 20 socat -t 10 - "TCP:127.0.0.1:$2""#
        return try lab.must("sh", "-c", script, "sh", text, String(port))
    }

    @Test("the unit is active once the daemon serves, and its status line describes the state")
    func starts() throws {
        try lab.restart(configuration: Self.services)
        #expect(try lab.property("ActiveState") == "active")
        #expect(try lab.property("StatusText") == "5 listeners, 0 sessions")
        #expect(try answer(to: "hi", port: 7007) == "hi")
    }

    @Test("echo, discard, drop, daytime and chargen answer a foreign client")
    func serves() throws {
        try lab.restart(configuration: Self.services)
        #expect(try answer(to: "over and over", port: 7007) == "over and over")
        #expect(try answer(to: "into the void", port: 7009) == "")
        let dropped = try lab.must("sh", "-c", "timeout 20 nc -d 127.0.0.1 7017")
        #expect(dropped == "")
        let time = try lab.must("sh", "-c", "timeout 20 nc -d -q 0 127.0.0.1 7013")
        #expect(time.hasSuffix("\r\n"))
        #expect(try time.contains(Regex(#"[0-9]{2}:[0-9]{2}:[0-9]{2}"#)))
        let characters = try lab.must(
            "sh",
            "-c",
            "timeout 20 socat -u TCP:127.0.0.1:7019 - 2>/dev/null | head -c 148"
        )
        let first = String((0..<72).map { Character(Unicode.Scalar(0x20 + UInt8($0))) })
        let second = String((1..<73).map { Character(Unicode.Scalar(0x20 + UInt8($0))) })
        #expect(characters == "\(first)\r\n\(second)\r\n")
    }

    @Test("a socket unit starts the daemon on the first connection, which is answered")
    func activates() throws {
        try lab.stop()
        let configuration = """
            { "listeners": {
              "web": { "listen": ["systemd:web"], "handler": { "type": "echo" } }
            } }
            """
        try lab.write(configuration, to: "/etc/verypolld/verypolld.json")
        try lab.must("systemctl", "start", "verypolld.socket")
        #expect(try lab.property("ActiveState") == "inactive")

        #expect(try answer(to: "first", port: 8080) == "first")
        // The first answer may arrive before systemd has received the readiness notification.
        try eventually("readiness") { try lab.property("ActiveState") == "active" }
        #expect(try answer(to: "second", port: 8080) == "second")
        #expect(try lab.property("NRestarts") == "0")
    }

    @Test("the watchdog restarts a hung daemon, which then serves again")
    func restarts() throws {
        let dropIn = "/run/systemd/system/verypolld.service.d/watchdog.conf"
        // A stopped process cannot handle SIGABRT either, and is killed after TimeoutAbortSec=.
        // WatchdogSec= is long enough that a slow daemon does not count as hung.
        let quick = "[Service]\nWatchdogSec=3s\nTimeoutAbortSec=500ms\nRestartSec=100ms\n"
        try lab.write(quick, to: dropIn)
        try lab.must("systemctl", "daemon-reload")
        try lab.restart(configuration: Self.services)
        let before = try lab.property("MainPID")

        try lab.must("kill", "-STOP", before)
        try eventually("another start") { try lab.property("NRestarts") != "0" }
        try eventually("readiness") { try lab.property("ActiveState") == "active" }
        #expect(try lab.property("MainPID") != before)
        #expect(try answer(to: "still here", port: 7007) == "still here")

        try lab.must("rm", dropIn)
        try lab.must("systemctl", "daemon-reload")
    }

    @Test("a stop lets a live session continue until its client ends it")
    func drains() throws {
        try lab.restart(configuration: Self.services)
        try lab.must("rm", "-f", "/run/go")
        try lab.must("mkfifo", "/run/go")
        let script = #"""
            exec 3<>/dev/tcp/127.0.0.1/7007
            echo before >&3; read -r line <&3; echo "$line"
            read -r line </run/go
            echo during >&3; read -r line <&3; echo "$line"
            """#
        let client = try lab.start("bash", ["-c", script])
        try client.waitForStandardOutput(containing: "before")

        try lab.must("systemctl", "stop", "--no-block", "verypolld")
        try eventually("the drain") {
            try lab.property("StatusText").contains("draining")
        }
        #expect(try lab.property("ActiveState") == "deactivating")
        try lab.must("sh", "-c", "echo >/run/go")
        try client.waitForStandardOutput(containing: "during")
        #expect(try client.waitForExit() == .code(0))

        try eventually("the exit") { try lab.property("ActiveState") == "inactive" }
        #expect(try lab.property("Result") == "success")
        #expect(try lab.property("ExecMainStatus") == "0")
    }

    @Test("a stop closes the remaining sessions at the drain deadline, and succeeds")
    func ends() throws {
        let configuration = """
            {
              "drain": { "deadline": "500ms" },
              "listeners": {
                "echo": { "listen": ["127.0.0.1:7007"], "handler": { "type": "echo" } }
              }
            }
            """
        try lab.restart(configuration: configuration)
        let script = #"""
            exec 3<>/dev/tcp/127.0.0.1/7007
            echo before >&3; read -r line <&3; echo "$line"
            cat <&3 || true
            """#
        let client = try lab.start("bash", ["-c", script])
        try client.waitForStandardOutput(containing: "before")

        try lab.must("systemctl", "stop", "verypolld")
        #expect(try lab.property("Result") == "success")
        #expect(try lab.property("ExecMainStatus") == "0")
        #expect(try client.waitForExit() == .code(0))
    }

    @Test("the journal finds a listener's log entries by their fields")
    func logs() throws {
        try lab.restart(configuration: Self.services)
        #expect(try answer(to: "logged", port: 7007) == "logged")
        // journald can determine a process's unit only while the process exists.
        try lab.must("journalctl", "--sync")
        try lab.stop()
        try lab.must("journalctl", "--sync")
        let entries = try lab.must(
            "journalctl",
            "-u",
            "verypolld",
            "-o",
            "json",
            "VERYPOLL_LISTENER=echo"
        ).split(separator: "\n")
        let last = try #require(entries.last)
        #expect(last.contains(#""SYSLOG_IDENTIFIER":"verypolld""#))
        #expect(last.contains(#""PRIORITY":"6""#))
        #expect(last.contains(#""VERYPOLL_SESSION":""#))
        #expect(last.contains(#""VERYPOLL_PEER":"127.0.0.1:"#))
        #expect(last.contains(#""_TRANSPORT":"journal""#))
    }

    @Test("the journal has a client's address even if the client disconnected first")
    func logsPeer() throws {
        try lab.restart(configuration: Self.services)
        #expect(try answer(to: "", port: 7013).hasSuffix("\r\n"))
        try lab.stop()
        try lab.must("journalctl", "--sync")
        let fields = ["--output=cat", "--output-fields=VERYPOLL_PEER"]
        let found = try lab.start("journalctl", fields + ["VERYPOLL_LISTENER=daytime"]).finish()
        let peers = found.standardOutput.split(separator: "\n")
        #expect(peers.last?.hasPrefix("127.0.0.1:") == true, "\(peers)")
        #expect(!peers.contains("gone"))
    }

    @Test("an invalid configuration is rejected and logged, and retried until it is valid")
    func refuses() throws {
        try lab.stop()
        try lab.write(#"{ "listeners": {}, "workers": 0 }"#, to: "/etc/verypolld/verypolld.json")
        #expect(try lab.run("systemctl", "start", "verypolld").exit != .code(0))
        #expect(try lab.property("ExecMainStatus") == "78")
        #expect(try lab.property("ActiveState") == "activating")
        try lab.must("journalctl", "--sync")
        let errors = try lab.must("journalctl", "-u", "verypolld", "-p", "err", "-o", "cat")
        let file = "/etc/verypolld/verypolld.json"
        #expect(errors.contains("\(file):1:16: /listeners: "))
        #expect(errors.contains("\(file):1:31: /workers: "))
        try lab.write(Self.services, to: file)
        try eventually("systemd to start the service by itself") {
            try lab.property("ActiveState") == "active"
        }
    }

    @Test("group members can reach the control socket, and others cannot")
    func admits() throws {
        try lab.restart(configuration: Self.services)
        let member = ["--reuid=nobody", "--regid=nogroup", "--groups=verypoll", "verypollctl"]
        let stranger = ["--reuid=nobody", "--regid=nogroup", "--clear-groups", "verypollctl"]
        let admitted = try lab.start("setpriv", member + ["ping"])
        #expect(try admitted.waitForExit() == .code(0))
        let refused = try lab.start("setpriv", stranger + ["ping"])
        #expect(try refused.waitForExit() != .code(0))
    }
}
