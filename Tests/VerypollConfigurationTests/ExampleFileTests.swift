internal import Testing
internal import Verypoll

@testable internal import StrictJSON
@testable internal import VerypollConfiguration

@Suite("Configuration files in the repository")
struct ExampleFileTests {
    @Test("the embedded default equals config/default.json, and is valid")
    func embeddedDefault() throws {
        #expect(try repositoryFile("config/default.json") == Configuration.embeddedDefault)
        let configuration = try Configuration(
            parsing: Configuration.embeddedDefault,
            file: "default",
            descriptorLimit: 1024
        )
        #expect(configuration.listeners.map(\.addresses) == [[.ip(.loopback(port: 7007))]])
        #expect(configuration.listeners.map(\.handler) == [.echo])
    }

    @Test("every example in config/examples is valid and has a listener")
    func examples() throws {
        let paths = try exampleFiles()
        try #require(!paths.isEmpty)
        for path in paths {
            let text = try repositoryFile(path)
            let configuration = try Configuration(parsing: text, file: path, descriptorLimit: 1024)
            #expect(!configuration.listeners.isEmpty, "\(path)")
        }
    }

    @Test("a truncated file is rejected with only a syntax error")
    func truncated() throws {
        let text = try repositoryFile("config/examples/proxy.json")
        let end = try #require(text.lastIndex(of: UInt8(ascii: "}")))
        for length in 0..<end {
            #expect(throws: JSONSyntaxError.self) {
                try JSONDocument(parsing: Array(text[..<length]))
            }
        }
    }

    @Test("a file with any byte replaced is accepted or rejected with positions inside the file")
    func corrupted() throws {
        let original = try repositoryFile("config/examples/limits-and-timeouts.json")
        let lineCount = original.count { $0 == UInt8(ascii: "\n") } + 2
        var refusals = 0
        for index in original.indices {
            for byte in Array("\"\\{],0".utf8) + [0xFF] {
                var text = original
                text[index] = byte
                do {
                    _ = try Configuration(parsing: text, file: "f", descriptorLimit: 4096)
                } catch {
                    refusals += 1
                    #expect(!error.problems.isEmpty)
                    for problem in error.problems {
                        let position = try #require(problem.position)
                        #expect((1...lineCount).contains(position.line))
                        #expect(position.column >= 1)
                    }
                }
            }
        }
        #expect(refusals > original.count)
    }
}
