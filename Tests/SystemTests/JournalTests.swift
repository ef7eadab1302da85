import TestSupport
import Testing

extension ServiceTests {
    @Suite("Journal")
    struct JournalTests {
        private static let configuration = """
            {
              "log": { "sessions": true },
              "listeners": {
                "echo": { "listen": ["127.0.0.1:7007"], "handler": { "type": "echo" } },
                "web": {
                  "listen": ["127.0.0.1:7080"],
                  "handler": { "type": "proxy", "upstream": "app" }
                }
              },
              "upstreams": { "app": { "servers": ["127.0.0.1:7007"] } }
            }
            """

        private let lab: Lab

        init() throws {
            lab = try Lab.shared.get()
        }

        /// Queries the journal in one of its output formats.
        ///
        /// Filters by program instead of by unit: if a process exits before journald reads its
        /// entry, journald cannot determine the unit.
        private func journal(_ arguments: String...) throws -> String {
            try lab.must("journalctl", "--sync")
            let since = ["--no-pager", "-t", "verypolld", "-b"]
            let found = try lab.start("journalctl", since + arguments).finish()
            return found.standardOutput
        }

        @Test("an event can be found by its message ID, whatever its text")
        func finds() throws {
            try lab.restart(configuration: Self.configuration)
            try lab.stop()
            let ready = try journal("-o", "cat", "MESSAGE_ID=b3c784965872488db21a282f09be041e")
            #expect(ready.split(separator: "\n").last?.hasSuffix(" is ready") == true, "\(ready)")
            let stopped = try journal("-o", "cat", "MESSAGE_ID=ed003edfb76343dea8f7f776f43ff613")
            #expect(stopped.split(separator: "\n").last == "stopped")
        }

        @Test("journalctl -x explains an event, with the names from its fields")
        func explains() throws {
            try lab.must("journalctl", "--update-catalog")
            try lab.restart(configuration: Self.configuration)
            try lab.stop()
            let text = try journal("-x", "-n", "30")
            #expect(text.contains("Subject: Listener web accepts connections"), "\(text)")
            #expect(text.contains("read from: /etc/verypolld/verypolld.json"), "\(text)")
            #expect(text.contains("Subject: verypolld has stopped"), "\(text)")
        }

        @Test("the end of a proxied session is logged with its server, reason and byte counts")
        func tellsOfSessions() throws {
            try lab.restart(configuration: Self.configuration)
            let script = "printf hello | timeout 20 socat -t 10 - TCP:127.0.0.1:7080"
            #expect(try lab.must("sh", "-c", script) == "hello")
            try lab.stop()
            let entry = try #require(
                journal("-o", "json", "VERYPOLL_UPSTREAM=app").split(separator: "\n").last
            )
            for field in [
                #""VERYPOLL_SERVER":"127.0.0.1:7007""#, #""VERYPOLL_LISTENER":"web""#,
                #""VERYPOLL_REASON":"both ways ended""#, #""VERYPOLL_BYTES_IN":"5""#,
                #""VERYPOLL_REASON_CODE":"completed""#, #""VERYPOLL_CLOSED_BY":"client""#,
                #""VERYPOLL_BYTES_OUT":"5""#, #""VERYPOLL_DURATION_MSEC":""#,
                #""MESSAGE_ID":"5471f2c9247e4b168a71a5798737adae""#,
            ] {
                #expect(entry.contains(field), "\(entry)")
            }
        }
    }
}
