internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("verypolld where /proc can't be read")
struct UnreadableProcTests {
    @Test("--check-config checks the given file and starts no daemon")
    func checksNamedFile() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write("{\"listners\": {}}", to: "bad.json")
        let result = try Program.runWithoutProc("verypolld", ["--check-config", file])
        #expect(result.exit == .code(78))
        #expect(result.standardError.contains("\(file):1:2"))
    }

    @Test("--help, --version and wrong usage behave as elsewhere")
    func parsesOptions() throws {
        for words in [["--help"], ["--version"], ["--no-such-option"], ["--log-level", "loud"]] {
            let result = try Program.runWithoutProc("verypolld", words)
            #expect(try result == Program.run("verypolld", words), "\(words)")
        }
    }
}
