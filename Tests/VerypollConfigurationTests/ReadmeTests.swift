import Foundation
import Testing

@testable import StrictJSON
@testable import VerypollConfiguration

@Suite("README.md and docs")
struct ReadmeTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// Returns the paths of the documents that may show configurations, relative to the repository.
    private static func documents() throws -> [String] {
        let docs = root.appending(path: "docs").path
        let paths = try FileManager.default.subpathsOfDirectory(atPath: docs).sorted()
        return ["README.md"] + paths.filter { $0.hasSuffix(".md") }.map { "docs/" + $0 }
    }

    @Test("every configuration in the documents is valid")
    func showsValidConfigurations() throws {
        var count = 0
        for path in try Self.documents() {
            let text = try String(contentsOf: Self.root.appending(path: path), encoding: .utf8)
            let blocks = text.matches(of: /```json\n((?:.|\n)*?)```/).map { String($0.output.1) }
            if path == "README.md" { #expect(!blocks.isEmpty) }
            count += blocks.count
            for block in blocks {
                #expect(throws: Never.self, "\(path): \(block)") {
                    _ = try Configuration(
                        parsing: Array(block.utf8),
                        file: path,
                        descriptorLimit: 1 << 20
                    )
                }
            }
        }
        #expect(count >= 2)
    }

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
