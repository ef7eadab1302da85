import TestSupport
import Testing

@testable import verypollctl

@Suite("ExitStatus")
struct ExitStatusTests {
    @Test("docs/observability.md lists every exit status of verypollctl")
    func isDocumented() throws {
        let document = try MarkdownDocument("docs/observability.md")
        let documented = document.rows(under: "### verypollctl").compactMap { Int32($0[0]) }
        #expect(documented == (0...255).compactMap { ExitStatus(rawValue: $0)?.rawValue })
    }
}
