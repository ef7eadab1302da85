import TestSupport
import Testing

@Suite("The house's rules")
struct TidyTests {
    @Test("sizes, arrows between targets and the places of unsafe code are as agreed")
    func holds() throws {
        let result = try Program.run("\(Repository.path)/Scripts/tidy")
        #expect(result.standardOutput == "tidy\n")
        #expect(result.standardError == "")
        #expect(result.exit == .code(0))
    }
}
