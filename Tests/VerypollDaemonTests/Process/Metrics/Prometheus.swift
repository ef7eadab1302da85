internal import TestSupport
internal import Testing

/// The programs of Prometheus, at the place where Scripts/install-dependencies installs them.
enum Prometheus {
    /// Returns the path of one of the programs.
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
    /// Runs `promtool check metrics` on a text.
    static func check(_ text: String) throws -> Program.Result {
        let directory = try TemporaryDirectory()
        let file = try directory.write(text, to: "metrics")
        let promtool = try Prometheus.path(of: "promtool")
        let line = #""$0" check metrics <"$1""#
        return try Program.run("/bin/sh", ["-c", line, promtool, file])
    }
}

/// Expects `promtool check metrics` to accept a classic text.
func expectPromtoolPleased(_ text: String) throws {
    let result = try Promtool.check(text)
    #expect(result.exit == .code(0))
    #expect(result.standardError + result.standardOutput == "")
}
