import TestSupport
import Testing

@Suite("Documentation of VerypollAsync")
struct DocumentationTests {
    // With plain settings, as the code of most users has them: the upcoming features of the library
    // itself are off.
    @Test("every Swift example in the articles, the doc comments and the README compiles")
    func compiles() throws {
        try requireProgram("swiftc")
        let blocks =
            try CodeBlock.all(in: ["Sources/VerypollAsync"])
            + CodeBlock.all(in: ["README.md", "docs"]).filter { $0.imports("VerypollAsync") }
        #expect(blocks.count > 20)
        let modules = ["SystemPackage", "Verypoll", "VerypollAsync"]
        let results = try CodeBlock.compile(blocks, importing: modules)
        for result in results { #expect(result.exit == .code(0), "\(result.standardError)") }
    }
}
