import TestSupport
import Testing

extension ServiceTests {
    /// Restarts of the service under load.
    @Suite("Restarts of verypolld under systemd", .serialized)
    struct RestartTests {
        private let lab: Lab

        init() throws {
            lab = try Lab.shared.get()
        }

        private func configuration(
            _ more: String,
            handler: String = #"{ "type": "proxy", "upstream": "app" }"#
        ) -> String {
            """
            {
              \(more)
              "listeners": {
                "front": {
                  "listen": ["127.0.0.1:7080", "unix:/run/verypolld/front.sock"],
                  "handler": \(handler)
                }
              },
              "upstreams": { "app": { "servers": ["127.0.0.1:7090"] } }
            }
            """
        }

        /// Starts the clients and their server; returns once bytes move on all sessions.
        private func startLoad(sessions: Int) throws -> Program {
            try lab.must("rm", "-f", "/run/end")
            let load = try lab.start("python3", RestartLoad.arguments(sessions: sessions))
            try load.waitForStandardOutput(containing: "started", within: .seconds(180))
            return load
        }

        /// Stops the load and returns its report.
        private func end(_ load: borrowing Program) throws -> String {
            try lab.must("touch", "/run/end")
            return try load.waitForStandardOutput(containing: "done ", within: .seconds(240))
        }

        private func journal() throws -> String {
            try lab.must("journalctl", "--sync")
            return try lab.must("journalctl", "-u", "verypolld", "-n", "60", "-o", "cat")
        }

        @Test("every byte of all sessions in transfer arrives, and no connection is refused")
        func keepsSessions() throws {
            try lab.restart(configuration: configuration(#""restart": {"keepSessions": true},"#))
            let load = try startLoad(sessions: RestartLoad.sessionCount)
            for _ in 0..<3 {
                let before = try lab.property("MainPID")
                try lab.must("systemctl", "restart", "verypolld")
                #expect(try lab.property("MainPID") != before)
                try lab.must("sleep", "0.5")
            }
            // A package's maintainer scripts do this.
            try lab.must("systemctl", "daemon-reload")
            try lab.must("systemctl", "try-restart", "verypolld")
            let said = try end(load)
            let count = RestartLoad.sessionCount
            #expect(said.contains("done sessions=\(count) lost=0 problems=0 refused=0"), "\(said)")
            let log = try journal()
            #expect(log.contains("stored 2 sockets and "), "\(log)")
            #expect(log.contains("restored 2 sockets and "), "\(log)")
            #expect(!log.contains("; reasons: "), "\(log)")
            #expect(try lab.property("NFileDescriptorStore") == "2")
            try lab.stop()
        }

        @Test("address changes and failed starts refuse no connection and lose no session")
        func changesAddresses() throws {
            try lab.stop()
            let script = try Repository.text(ofProgram: "address_changes.py")
            let steps = try lab.start("python3", ["-c", script]).finish(within: .seconds(240))
            #expect(steps.exit == .code(0), "\(steps.standardOutput)\(steps.standardError)")
            try lab.stop()
        }

        @Test("without keepSessions, sessions end, but TCP and socket files refuse no connection")
        func keepsListeners() throws {
            // The handler is echo: a proxy without a server would reset clients before connect(2)
            // returns.
            let more = #""drain": {"deadline": "200ms"},"#
            try lab.restart(configuration: configuration(more, handler: #"{ "type": "echo" }"#))
            try lab.must("rm", "-f", "/run/end")
            let script = try Repository.text(ofProgram: "listener_load.py")
            let load = try lab.start("python3", ["-c", script])
            try load.waitForStandardOutput(containing: "started")
            for _ in 0..<3 { try lab.must("systemctl", "restart", "verypolld") }
            let said = try end(load)
            #expect(said.contains("failures: []"), "\(said)")
            try lab.stop()
        }

        @Test("a plain stop ends all sessions, empties the store and leaves no socket file")
        func stops() throws {
            let more = #""restart": {"keepSessions": true}, "drain": {"deadline": "200ms"},"#
            try lab.restart(configuration: configuration(more))
            let load = try startLoad(sessions: 10)
            #expect(try lab.property("NFileDescriptorStore") == "2")
            try lab.must("systemctl", "stop", "verypolld")
            #expect(try lab.property("NFileDescriptorStore") == "0")
            #expect(try lab.run("test", "-e", "/run/verypolld").exit != .code(0))
            let newcomer = try lab.run("bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/7080")
            #expect(newcomer.standardError.contains("Connection refused"))
            let said = try end(load)
            #expect(said.contains("done sessions=10 lost=10 "), "\(said)")
            #expect(try lab.property("Result") == "success")
        }
    }
}
