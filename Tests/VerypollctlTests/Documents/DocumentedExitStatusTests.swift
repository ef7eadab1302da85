import TestSupport
import Testing

@testable import verypollctl

@Suite("exit statuses in docs/observability.md")
struct DocumentedExitStatusTests {
    @Test("the list names each one of verypollctl, and no other")
    func isDocumented() throws {
        let document = try MarkdownDocument("docs/observability.md")
        let documented = document.rows(under: "### verypollctl").compactMap { Int32($0[0]) }
        #expect(documented == (0...255).compactMap { ExitStatus(rawValue: $0)?.rawValue })
    }
}
