internal import Foundation

/// The folder of the package, in which the tests were built.
package enum Repository {
    package static let path: String = {
        // This file is Tests/TestSupport/Repository.swift in it.
        let parts = #filePath.split(separator: "/").dropLast(3)
        return "/" + parts.joined(separator: "/")
    }()

    /// The path of a Python program of the tests.
    package static func path(ofProgram name: String) -> String { "\(path)/Tests/Programs/\(name)" }

    /// The text of a Python program of the tests, for an interpreter that sees other files.
    package static func text(ofProgram name: String) throws -> String {
        try String(contentsOfFile: path(ofProgram: name), encoding: .utf8)
    }
}
