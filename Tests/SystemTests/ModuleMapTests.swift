import Foundation
import TestSupport
import Testing

@Suite("Module map")
struct ModuleMapTests {
    @Test(
        "it shows the dependencies that Scripts/tidy enforces",
        arguments: ["modules-light.svg", "modules-dark.svg"]
    )
    func isCurrent(name: String) throws {
        let folder = try TemporaryDirectory()
        let result = try Program.run("\(Repository.path)/Scripts/module-map", [folder.path])
        #expect(result.exit == .code(0), "\(result.standardError)")
        let drawn = try String(contentsOfFile: "\(folder.path)/\(name)", encoding: .utf8)
        let stored = "\(Repository.path)/docs/pictures/\(name)"
        #expect(
            try String(contentsOfFile: stored, encoding: .utf8) == drawn,
            "run Scripts/module-map"
        )
    }
}
