import Foundation
import Testing

@testable import StrictJSON
@testable import VerypollConfiguration

@Suite("README.md")
struct ReadmeTests {
    @Test("every configuration it shows is one that the daemon takes")
    func showsValidConfigurations() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
        let blocks = text.matches(of: /```json\n((?:.|\n)*?)```/).map { String($0.output.1) }
        #expect(blocks.count >= 2)
        for block in blocks {
            #expect(throws: Never.self) {
                _ = try Configuration(
                    parsing: Array(block.utf8),
                    file: "README.md",
                    descriptorLimit: 1 << 20
                )
            }
        }
    }
}
