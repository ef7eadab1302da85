import Foundation
import TestSupport
import Testing

extension ServiceTests {
    @Suite("Killed daemon")
    struct KillTests {
        /// The number of kills: the environment variable `VERYPOLL_KILLS`, or 5.
        private static let killCount =
            ProcessInfo.processInfo.environment["VERYPOLL_KILLS"].flatMap { Int($0) } ?? 5

        /// Two listeners, one of which uses a systemd socket.
        private static let configuration = """
            {
              "control": { "group": "verypoll" },
              "listeners": {
                "web": {
                  "listen": ["systemd:web"],
                  "handler": { "type": "proxy", "upstream": "app" }
                },
                "echo": {
                  "listen": ["127.0.0.1:7007", "unix:/run/verypolld/echo"],
                  "handler": { "type": "echo" }
                }
              },
              "upstreams": { "app": { "servers": ["unix:/run/verypolld/echo"] } }
            }
            """

        private let lab: Lab

        init() throws {
            lab = try Lab.shared.get()
        }

        /// Lists the places where a daemon could leave files behind.
        private func leftovers() throws -> Set<Substring> {
            // Excludes the files that systemd and the journal maintain there themselves.
            let script = """
                find /run /dev/shm \
                    -path /run/systemd -prune -o -path /run/log -prune -o -print
                """
            return Set(try lab.must("sh", "-c", script).split(separator: "\n"))
        }

        private func processID() throws -> String {
            try eventually("a process") {
                let found = try lab.property("MainPID")
                return found == "0" ? nil : found
            }
        }

        private func waitUntilItAnswers() throws {
            try eventually("an answer at the control socket") {
                try lab.run("verypollctl", "ping").exit == .code(0)
            }
        }

        @Test(
            """
            after SIGKILL at any moment under load, it restarts, its systemd socket refuses no \
            connection, and nothing is left behind
            """
        )
        func returns() throws {
            let dropIn = "/run/systemd/system/verypolld.service.d/kill.conf"
            try lab.stop()
            try lab.write(
                "[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestartSec=50ms\n",
                to: dropIn
            )
            try lab.must("systemctl", "daemon-reload")
            try lab.write(Self.configuration, to: "/etc/verypolld/verypolld.json")
            try lab.must("rm", "-f", "/tmp/over")
            let before = try leftovers()
            try lab.must("systemctl", "start", "verypolld.socket", "verypolld.service")
            try waitUntilItAnswers()
            let running = try leftovers()
            let load = try Repository.text(ofProgram: "kill_load.py")
            let clients = try lab.start("python3", ["-c", load])
            try clients.waitForStandardOutput(containing: "begun")

            for _ in 0..<Self.killCount {
                // Kill it while it serves, or while it is still starting.
                if Bool.random() { try waitUntilItAnswers() }
                pause(milliseconds: .random(in: 0...150))
                let victim = try processID()
                try lab.must("kill", "-KILL", victim)
                try eventually("another process") { try processID() != victim }
            }
            try waitUntilItAnswers()
            #expect(try lab.property("NRestarts") == "\(Self.killCount)")
            try eventually("readiness") { try lab.property("ActiveState") == "active" }
            let changed = try leftovers().symmetricDifference(running)
            #expect(changed == [], "\(changed.sorted())")

            try lab.must("touch", "/tmp/over")
            let told = try clients.finish(within: .seconds(120)).standardOutput
            #expect(told.contains("refused 0, late 0"), "\(told)")
            #expect(!told.contains("answered 0"), "\(told)")
            try lab.stop()
            try lab.must("rm", "-r", "/tmp/over", "/run/systemd/system/verypolld.service.d")
            try lab.must("systemctl", "daemon-reload")
            let left = try leftovers().symmetricDifference(before)
            #expect(left == [], "\(left.sorted())")
        }
    }
}
