import Console
import FoundationEssentials
import TestSupport
import Testing

/// Addresses with terminal control characters, as the daemon and the command display them.
@Suite("Hostile text")
struct HostileTextTests {
    /// In JSON escapes.
    private static let name = #"web\u001B[31m\u0085\u202E"#
    private static let decoded = "web\u{1B}[31m\u{85}\u{202E}"
    private static let shown = #"web\u001B[31m\u0085\u202E"#

    private static let configuration = """
        {"workers": 1, "control": {"socket": "DIR/control"},
        "listeners": {
          "web": {"listen": ["unix:DIR/\(name)"],
            "handler": {"type": "proxy", "upstream": "app"}}},
        "upstreams": {"app": {"servers": ["unix:DIR/\(name).app"]}}}
        """

    private func steers(_ text: String) -> Bool {
        text.unicodeScalars.contains { $0 != "\n" && $0.steersTerminal }
    }

    @Test("neither a verb nor the daemon's log passes control characters to a terminal")
    func escapes() throws {
        let daemon = try RealDaemon(Self.configuration)
        for words in [["status"], ["listeners"], ["upstreams"], ["config", "show"], ["metrics"]] {
            let text = try daemon.runOnTerminal(words.joined(separator: " "))
            #expect(text.lowercased().contains(Self.shown.lowercased()), "\(words)")
            #expect(!steers(text), "\(words)")
        }
        let log = try daemon.program.standardError
        #expect(log.contains("listening on unix:\(daemon.directory.path)/\(Self.shown) "))
        #expect(!steers(log))
        let unknown = try daemon.run("drain", Self.decoded + "x")
        #expect(unknown.exit == .code(4))
        #expect(unknown.standardError.contains(Self.shown + "x"))
        #expect(!steers(unknown.standardError))
    }

    @Test("rejected arguments are escaped as well")
    func escapesArguments() throws {
        for program in ["verypolld", "verypollctl"] {
            let result = try Program.run(program, ["--\(Self.decoded)"])
            #expect(result.standardError.contains(Self.shown))
            #expect(!steers(result.standardError))
        }
        let missing = try Program.run("verypolld", ["--check-config", "/\(Self.decoded)"])
        #expect(missing.exit == .code(78))
        #expect(missing.standardError.contains("/\(Self.shown): "))
        #expect(!steers(missing.standardError))
    }

    @Test("JSON contains the exact names, and piped metrics are unchanged")
    func isExact() throws {
        struct List: Decodable {
            struct Listener: Decodable { let addresses: [Address] }
            struct Address: Decodable { let address: String }
            let listeners: [Listener]
        }
        let daemon = try RealDaemon(Self.configuration)
        let address = "unix:\(daemon.directory.path)/\(Self.decoded)"
        for mode in ["short", "pretty"] {
            let text = try daemon.run("listeners", "--json=\(mode)").standardOutput
            #expect(!steers(text))
            let list = try JSONDecoder().decode(List.self, from: Data(text.utf8))
            #expect(list.listeners.map(\.addresses[0].address) == [address])
        }
        let metrics = try daemon.run("metrics").standardOutput
        #expect(metrics.contains(#"server="\#(address).app"}"#))
        #expect(metrics.hasSuffix("# EOF\n"))
    }
}
