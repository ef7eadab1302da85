internal import TestSupport
internal import Testing

@Suite("configurations in the documents")
struct DocumentedConfigurationTests {
    @Test("--check-config accepts each of them")
    func areValid() throws {
        let directory = try TemporaryDirectory()
        var count = 0
        for name in try Repository.documents() {
            for block in try Document(name).blocks where block.language == "json" {
                let file = try directory.write(block.text, to: "documented.json")
                let result = try Program.run("verypolld", ["--check-config", file])
                #expect(result.exit == .code(0), "\(name): \(result.standardError)")
                count += 1
            }
        }
        #expect(count > 10)
    }
}
