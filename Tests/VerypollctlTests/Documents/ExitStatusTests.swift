import TestSupport
import Testing

@testable import verypollctl

@Suite("verypollctl(1)")
struct ExitStatusTests {
    private let manual: Document

    init() throws {
        manual = try Document("man/verypollctl.1.in")
    }

    @Test("the manual page, the guide and --help list the exit statuses")
    func listExitStatuses() throws {
        let statuses = (0...255).filter { ExitStatus(rawValue: $0) != nil }.map(String.init)
        #expect(manual.terms(ofSection: "EXIT STATUS") == statuses)
        let guide = try Document("docs/observability.md")
        #expect(guide.rows(below: "### verypollctl").map { $0[0] }.dropFirst() == statuses[...])
        let help = try Program.run("verypollctl", ["--help"]).standardOutput
        let start = try #require(help.firstRange(of: "Exit status:"))
        let sentence = help[start.upperBound...].prefix { $0 != "." }
        #expect(sentence.matches(of: /\d+/).map { String($0.output) } == statuses)
    }

    @Test("the manual page names the variables that the command reads")
    func listVariables() throws {
        let section = manual.lines(ofSection: "ENVIRONMENT").joined(separator: "\n")
        for file in ["DaemonConnection", "Terminal"] {
            let source = try Document("Sources/verypollctl/\(file).swift").text
            let names = source.matches(of: /environment\["([A-Z_]+)"\]/)
            #expect(!names.isEmpty, "\(file)")
            for name in names { #expect(section.contains(name.output.1), "\(file)") }
        }
    }
}
