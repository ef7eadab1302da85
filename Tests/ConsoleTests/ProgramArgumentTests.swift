import Testing

@testable import Console

@Suite("ProgramArguments")
struct ProgramArgumentTests {
    @Test("the arguments are those of the process")
    func readsArguments() throws {
        #expect(try ProgramArguments.afterName() == Array(CommandLine.arguments.dropFirst()))
    }

    @Test("the program's path is absolute and is its own")
    func readsPath() throws {
        let path = try #require(ProgramArguments.programPath())
        #expect(path.hasPrefix("/"))
        #expect(!path.contains("/../"))
    }

    @Test("an argument that is not UTF-8 is an error that names it")
    func refusesBytes() {
        let words = [Array("--config".utf8), [0x61, 0xFF, 0x1B]]
        let error = #expect(throws: ProgramArgumentError.self) {
            try ProgramArguments.decode(words)
        }
        #expect(
            error?.description
                == "argument 2, \"a\u{FFFD}\\u001B\", is not valid UTF-8; use text in UTF-8"
        )
        #expect(throws: Never.self) { try ProgramArguments.decode([]) }
    }
}
