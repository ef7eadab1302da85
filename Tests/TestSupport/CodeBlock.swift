internal import Foundation

/// A Swift example in the documentation.
package struct CodeBlock {
    /// The path of the file.
    private let path: String
    /// The number of the first line after the opening fence.
    private let line: Int
    private var lines: [String] = []

    private init(path: String, line: Int) {
        self.path = path
        self.line = line
    }

    /// Finds the blocks of Markdown files and of doc comments.
    ///
    /// - Parameter paths: Files and folders in the repository.
    /// - Returns: The blocks, in the order of the paths.
    /// - Throws: A `CocoaError` if a file can't be read; ``Unclosed``.
    package static func all(in paths: [String]) throws -> [CodeBlock] {
        try paths.flatMap { path in
            let url = URL(filePath: Repository.path).appending(path: path)
            if url.pathExtension == "md" { return try all(in: url) }
            return try FileManager.default.subpathsOfDirectory(atPath: url.path).sorted()
                .filter { $0.hasSuffix(".md") || $0.hasSuffix(".swift") }
                .flatMap { try all(in: url.appending(path: $0)) }
        }
    }

    /// A block whose closing fence is missing.
    package struct Unclosed: Error {
        let path: String
    }

    private static func all(in file: URL) throws -> [CodeBlock] {
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
        if open != nil { throw Unclosed(path: file.path) }
        return blocks
    }

    private static func commentText(of line: Substring) -> String? {
        let line = line.drop { $0 == " " }
        guard line.hasPrefix("///") else { return nil }
        return String(line.dropFirst(line.hasPrefix("/// ") ? 4 : 3))
    }

    /// Whether the block imports a module.
    package func imports(_ module: String) -> Bool { lines.contains("import \(module)") }

    /// Returns a file that contains the block alone, inside a function unless the block must be at
    /// file scope.
    ///
    /// Errors are reported at the block's position in the documentation. Examples in doc comments
    /// omit the imports that every user of the library has.
    private func source(number: Int, importing modules: [String]) -> String {
        let isImport = { (line: String) in line.hasPrefix("import ") }
        let imports = lines.filter(isImport)
        let isOutside = lines.contains { $0.hasPrefix("extension ") || $0.hasPrefix("protocol ") }
        // Imports become empty lines, so that line numbers are preserved.
        let body = lines.map { isImport($0) ? "" : $0 }
        let text =
            (imports.isEmpty ? modules.map { "import \($0)" } : imports)
            + (isOutside ? [] : ["func block\(number)() throws {"])
            + ["#sourceLocation(file: \"\(path)\", line: \(line))"] + body
            + ["#sourceLocation()"]
            + (isOutside ? [] : ["}"])
        return text.joined(separator: "\n") + "\n"
    }

    /// Whether the block is a whole program: functions, and statements that call them.
    private var isProgram: Bool {
        lines.contains { $0.hasPrefix("func ") } && lines.contains { $0.hasPrefix("try ") }
    }

    /// The file `main.swift` of a block that is a whole program.
    private var program: String {
        let body = lines.joined(separator: "\n")
        let location = "#sourceLocation(file: \"\(path)\", line: \(line))"
        return "\(location)\n\(body)\n#sourceLocation()\n"
    }

    /// Compiles blocks, each as a file of one module or as a program of its own.
    ///
    /// They are compiled against the modules that were built with the tests.
    ///
    /// - Parameters:
    ///   - blocks: The blocks.
    ///   - modules: The modules to import in blocks without an import.
    /// - Returns: The results of the compiler.
    /// - Throws: See posix_spawn(3).
    package static func compile(
        _ blocks: [CodeBlock],
        importing modules: [String]
    ) throws -> [Program.Result] {
        let directory = try TemporaryDirectory()
        let paths = try blocks.filter { !$0.isProgram }.enumerated().map { number, block in
            let source = block.source(number: number, importing: modules)
            return try directory.write(source, to: "block\(number).swift")
        }
        var results = [try compile(paths)]
        for block in blocks where block.isProgram {
            results.append(try compile([directory.write(block.program, to: "main.swift")]))
        }
        return results
    }

    /// Compiles files that import a library, with warnings as errors.
    package static func compile(_ paths: [String]) throws -> Program.Result {
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
}
