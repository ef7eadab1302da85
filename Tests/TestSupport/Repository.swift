internal import Foundation

/// The package's directory at build time.
package enum Repository {
    package static let path: String = {
        // This file is at Tests/TestSupport/Repository.swift in the package.
        let parts = #filePath.split(separator: "/").dropLast(3)
        return "/" + parts.joined(separator: "/")
    }()

    /// Returns the path of a Python program in Tests/Programs.
    package static func path(ofProgram name: String) -> String { "\(path)/Tests/Programs/\(name)" }

    /// Returns the text of a Python program in Tests/Programs, for an interpreter in another file
    /// system.
    package static func text(ofProgram name: String) throws -> String {
        try String(contentsOfFile: path(ofProgram: name), encoding: .utf8)
    }
    /// Returns the names of the documents for operators, relative to the package.
    package static func documents() throws -> [String] {
        let names = try FileManager.default.contentsOfDirectory(atPath: "\(path)/docs")
        return ["README.md"] + names.filter { $0.hasSuffix(".md") }.sorted().map { "docs/\($0)" }
    }
}
