#if OSExt && Net
import Foundation
import Testing
import TestSupport

@Suite("Documentation")
struct DocumentationTests {
    @Test("every Swift example in the articles, the doc comments, the README and docs compiles")
    func compiles() throws {
        try requireProgram("swiftc")
        let blocks = try CodeBlock.all(in: ["README.md", "docs", "Sources/Verypoll"])
            .filter { !$0.imports("VerypollAsync") }  // Compiled by the tests of that library.
        #expect(blocks.count > 30)
        let results = try CodeBlock.compile(blocks, importing: ["SystemPackage", "Verypoll"])
        for result in results { #expect(result.exit == .code(0), "\(result.standardError)") }
    }

    @Test("the compiler says what to write instead of close(), of |, and of polls in async code")
    func explains() throws {
        try requireProgram("swiftc")
        let directory = try TemporaryDirectory()
        let source = """
            import Verypoll
            func close(_ stream: borrowing TCPStream) { stream.close() }
            let interest = Interest.readable | .writable
            func wait(_ poll: inout Poll) async throws {
                var events = Events(capacity: 1)
                try poll.poll(&events)
                try poll.poll(&events, until: .now)
            }
            """
        let result = try CodeBlock.compile([directory.write(source, to: "misuse.swift")])
        #expect(result.exit != .code(0))
        for message in [
            "error: 'close()' is unavailable: it closes at the end of its scope",
            "error: '|' is unavailable: combine interests with an array literal",
            "6:14: error: instance method 'poll' is unavailable from asynchronous contexts",
            "7:14: error: instance method 'poll' is unavailable from asynchronous contexts",
        ] {
            #expect(result.standardError.contains(message), "\(result.standardError)")
        }
    }
}
#endif
