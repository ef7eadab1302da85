internal import TestSupport
internal import Testing

/// What comes with Prometheus, in the place where Scripts/install-dependencies puts it.
enum Prometheus {
    /// A program of it.
    static func path(of program: String) throws -> String {
        let unpacked = "\(Repository.path)/.build-prometheus/usr/bin/\(program)"
        do {
            try requireProgram(unpacked)
            return unpacked
        } catch {
            try requireProgram(program)
            return program
        }
    }
}

enum Promtool {
    /// Has `promtool check metrics` read a text.
    static func check(_ text: String) throws -> Program.Result {
        let directory = try TemporaryDirectory()
        let file = try directory.write(text, to: "metrics")
        let promtool = try Prometheus.path(of: "promtool")
        let line = #""$0" check metrics <"$1""#
        return try Program.run("/bin/sh", ["-c", line, promtool, file])
    }
}

/// Expects `promtool check metrics` to find nothing wrong with a classic text.
func expectPromtoolPleased(_ text: String) throws {
    let result = try Promtool.check(text)
    #expect(result.exit == .code(0))
    #expect(result.standardError + result.standardOutput == "")
}
