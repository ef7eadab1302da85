import TestSupport
import Testing

@testable import StrictJSON
@testable import VerypollConfiguration
@testable import VerypollDaemon
@testable import VerypollServer

@Suite("Manual pages")
struct ManualTests: ~Copyable {
    private let directory: TemporaryDirectory

    init() throws {
        let directory = try TemporaryDirectory()
        let words = [Program.buildDirectory, directory.path]
        let result = try Program("\(Repository.path)/Scripts/man-pages", words).finish()
        try #require(result.exit == .code(0), "\(result.standardError)")
        self.directory = directory
    }

    /// Returns a page formatted for a wide terminal, so that no word is broken.
    private func page(_ name: String, section: Int) throws -> String {
        let file = directory.appending("man\(section)/\(name).\(section)")
        let shown = try Program("man", ["-l", file], environment: ["MANWIDTH": "400"]).finish()
        try #require(shown.exit == .code(0), "\(shown.standardError)")
        return shown.standardOutput
    }

    /// Returns the verbs that a help text lists, and their own subverbs.
    private func verbs(of path: [String] = []) throws -> [[String]] {
        let help = try Program("verypollctl", path + ["--help"]).finish().standardOutput
        guard let start = help.firstRange(of: "SUBCOMMANDS:\n") else { return [path] }
        var found: [[String]] = []
        for line in help[start.upperBound...].split(separator: "\n") {
            guard let match = line.firstMatch(of: /^  ([a-z-]+)/) else { continue }
            found += try verbs(of: path + [String(match.output.1)])
        }
        return found
    }

    private func keys(_ table: KeyTable, under path: String = "") -> [String] {
        table.keys.flatMap { [path + $0.name] + keys($0.form, under: path + $0.name) }
    }

    private func keys(_ form: ValueForm, under path: String) -> [String] {
        switch form {
        case .object(let table), .textOr(let table): keys(table, under: path + ".")
        case .named(let table, _): keys(table, under: path + ".NAME.")
        case .list(let element, _): keys(element, under: path + "[]")
        default: []
        }
    }

    @Test("man formats the pages without warnings")
    func areCorrect() throws {
        for name in ["man1/verypollctl.1", "man8/verypolld.8", "man5/verypolld.json.5"] {
            // man warns only while it formats for an output device.
            let words = ["--warnings", "-E", "UTF-8", "-l", "-Tutf8", directory.appending(name)]
            let result = try Program("man", words, environment: ["MANWIDTH": "80"]).finish()
            #expect(result.exit == .code(0))
            #expect(result.standardError == "")
            #expect(!result.standardOutput.contains(/@[A-Z]+@/), "\(name)")
        }
    }

    @Test("verypollctl(1) documents every verb")
    func namesVerbs() throws {
        let text = try page("verypollctl", section: 1)
        let verbs = try verbs()
        #expect(verbs.count > 7)
        for verb in verbs {
            let start = "\n       " + verb.joined(separator: " ")
            #expect([" ", "\n"].contains { text.contains(start + $0) }, "\(verb)")
        }
    }

    @Test("verypollctl(1) says for every verb which users may use it")
    func namesPermissions() throws {
        let text = try page("verypollctl", section: 1)
        let start = try #require(text.firstRange(of: "\nPERMISSIONS\n"))
        let end = try #require(text.firstRange(of: "\nVERBS\n"))
        let words = text[start.upperBound..<end.lowerBound].split(whereSeparator: \.isWhitespace)
        let section = words.joined(separator: " ")
        for verb in try verbs() {
            let name = verb.joined(separator: " ")
            #expect([",", " ", "."].contains { section.contains(name + $0) }, "\(name)")
        }
    }

    @Test("verypolld(8) documents every option")
    func namesOptions() throws {
        let text = try page("verypolld", section: 8)
        let help = try Program("verypolld", ["--help"]).finish().standardOutput
        let options = Set(help.matches(of: /--[a-z][a-z-]+/).map { String($0.output) })
        #expect(options.count > 4)
        for option in options { #expect(text.contains(option), "\(option)") }
    }

    @Test("verypolld.json(5) documents every configuration key")
    func namesKeys() throws {
        let lines = try page("verypolld.json", section: 5).split(separator: "\n")
        let headings = Set(lines.map { $0.drop { $0 == " " } })
        let keys = keys(Configuration.keys)
        #expect(keys.count > 60)
        for key in keys { #expect(headings.contains(Substring(key)), "\(key)") }
    }
}
