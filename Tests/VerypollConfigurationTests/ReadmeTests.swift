import Foundation
import Testing

@testable import StrictJSON
@testable import VerypollConfiguration

@Suite("README.md")
struct ReadmeTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    @Test("the configuration of the pictures is valid")
    func drawsValidConfiguration() throws {
        let path = "docs/pictures/session.json"
        let text = try Data(contentsOf: Self.root.appending(path: path))
        _ = try Configuration(parsing: Array(text), file: path, descriptorLimit: 1 << 20)
    }

    @Test("the README has at most 150 lines")
    func isShort() throws {
        let text = try String(contentsOf: Self.root.appending(path: "README.md"), encoding: .utf8)
        #expect(text.split(separator: "\n", omittingEmptySubsequences: false).count <= 151)
    }
}
