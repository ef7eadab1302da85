#if OSExt && Net
import Foundation
import Testing
import TestSupport

@Suite("Documentation")
struct DocumentationTests {
    @Test("every Swift example in the articles, the doc comments, the README and docs compiles")
    func compiles() throws {
        try requireProgram("swiftc")
        let directory = try TemporaryDirectory()
        let blocks = try Documentation.files().flatMap(CodeBlock.all(in:))
        #expect(blocks.count > 30)
        let paths = try blocks.enumerated().map { number, block in
            try directory.write(block.source(number: number), to: "block\(number).swift")
        }

        let result = try compile(paths)
        #expect(result.exit == .code(0), "\(result.standardError)")
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
        let result = try compile([directory.write(source, to: "misuse.swift")])
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

/// Compiles files that import the library, with warnings as errors.
private func compile(_ paths: [String]) throws -> Program.Result {
    let build = URL(filePath: Program.buildDirectory)
    let checkouts = build.appending(path: "../../checkouts").standardized
    let maps = [
        build.appending(path: "CVerypoll.build/module.modulemap"),
        checkouts.appending(path: "swift-system/Sources/CSystem/include/module.modulemap"),
    ]
    // Compile to object code, because ownership errors are found only after type checking.
    return try Program.run(
        "swiftc",
        [
            "-emit-sil", "-o", "/dev/null", "-whole-module-optimization",
            "-module-name", "Documentation", "-swift-version", "6", "-warnings-as-errors",
            "-enable-upcoming-feature", "MemberImportVisibility",
            "-module-cache-path", build.appending(path: "ModuleCache").path,
            "-I", build.appending(path: "Modules").path,
        ] + maps.flatMap { ["-Xcc", "-fmodule-map-file=\($0.path)"] } + paths,
        // Compiling takes long while other tests use the CPUs.
        within: .seconds(600)
    )
}

/// The documentation's files.
private enum Documentation {
    static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static func files() throws -> [URL] {
        let library = root.appending(path: "Sources/Verypoll")
        let paths = try FileManager.default.subpathsOfDirectory(atPath: library.path).sorted()
        let docs = root.appending(path: "docs")
        let documents = try FileManager.default.subpathsOfDirectory(atPath: docs.path).sorted()
        return [root.appending(path: "README.md")]
            + documents.filter { $0.hasSuffix(".md") }.map { docs.appending(path: $0) }
            + paths.filter { $0.hasSuffix(".swift") || $0.hasSuffix(".md") }
            .map { library.appending(path: $0) }
    }
}

/// A code example in the documentation.
private struct CodeBlock {
    let path: String
    /// The number of the first line after the opening fence.
    let line: Int
    var lines: [String] = []

    static func all(in file: URL) throws -> [CodeBlock] {
        let text = try String(contentsOf: file, encoding: .utf8)
        var blocks: [CodeBlock] = []
        var open: CodeBlock?
        for (index, written) in text.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        {
            let isComment = file.pathExtension == "swift"
            guard let line = isComment ? commentText(of: written) : String(written) else {
                continue
            }
            if var block = open {
                if line == "```" {
                    blocks.append(block)
                    open = nil
                } else {
                    block.lines.append(line)
                    open = block
                }
            } else if line == "```swift" {
                open = CodeBlock(path: file.path, line: index + 2)
            }
        }
        #expect(open == nil, "a code block of \(file.path) is not closed")
        return blocks
    }

    private static func commentText(of line: Substring) -> String? {
        let line = line.drop { $0 == " " }
        guard line.hasPrefix("///") else { return nil }
        return String(line.dropFirst(line.hasPrefix("/// ") ? 4 : 3))
    }

    /// Returns a file that contains the block alone, inside a function unless the block must be at
    /// file scope.
    ///
    /// Errors are reported at the block's position in the documentation. Examples in doc comments
    /// omit the imports that every user of the library has.
    func source(number: Int) -> String {
        let isImport = { (line: String) in line.hasPrefix("import ") }
        let imports = lines.filter(isImport)
        let isOutside = lines.contains { $0.hasPrefix("extension ") || $0.hasPrefix("protocol ") }
        // Imports become empty lines, so that line numbers are preserved.
        let body = lines.map { isImport($0) ? "" : $0 }
        let text =
            (imports.isEmpty ? ["import SystemPackage", "import Verypoll"] : imports)
            + (isOutside ? [] : ["func block\(number)() throws {"])
            + ["#sourceLocation(file: \"\(path)\", line: \(line))"] + body + ["#sourceLocation()"]
            + (isOutside ? [] : ["}"])
        return text.joined(separator: "\n") + "\n"
    }
}
#endif
