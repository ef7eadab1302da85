import TestSupport
import Testing

@Suite("verypollctl where /proc can't be read")
struct UnreadableProcTests {
    @Test("arguments are parsed as elsewhere")
    func parses() throws {
        let socket = ["--socket", "/no/such/socket"]
        for words in [["--help"], ["--no-such-option"], ["ping", "x"], ["ping"] + socket] {
            let result = try Program.runWithoutProc("verypollctl", words)
            #expect(try result == Program.run("verypollctl", words), "\(words)")
        }
    }

    @Test("config check needs neither a daemon nor its executable")
    func checks() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write("{\"listners\": {}}", to: "bad.json")
        let words = ["config", "check", file, "--socket", directory.appending("none")]
        let result = try Program.runWithoutProc("verypollctl", words)
        #expect(result.exit == .code(5))
        #expect(result.standardError.contains("\(file):1:2"))
    }
}
