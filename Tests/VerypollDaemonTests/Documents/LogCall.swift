import Foundation
import TestSupport

@testable import Systemd
@testable import VerypollServer

/// A call in the sources that logs a message.
struct LogCall: Decodable, Sendable {
    /// The file and the line.
    let place: String
    /// The identifiers that the call can have, by the names of their cases.
    let kinds: [String]
    /// The metadata that the message always has.
    let keys: [String]
    /// The metadata that the message has at times.
    let optional: [String]

    /// The journal fields that the message always has.
    var fields: Set<String> { Set(keys.map(fieldName(for:))) }

    /// The journal fields that the message can have.
    var allFields: Set<String> { fields.union(optional.map(fieldName(for:))) }

    /// The calls, read once for all tests.
    private static let found = Result { try read() }

    /// Returns the calls of all sources that have an identifier or metadata.
    static func all() throws -> [LogCall] { try found.get() }

    private static func read() throws -> [LogCall] {
        let words = [Repository.path(ofProgram: "log_calls.py"), "\(Repository.path)/Sources"]
        let result = try Program.run("/usr/bin/env", ["python3"] + words)
        guard result.exit == .code(0) else { throw Failure(description: result.standardError) }
        return try JSONDecoder().decode([LogCall].self, from: Data(result.standardOutput.utf8))
    }

    /// The reason why the sources could not be read.
    private struct Failure: Error, CustomStringConvertible {
        let description: String
    }
}

extension [LogCall] {
    /// Returns the calls that log an identifier.
    func of(_ kind: JournalMessageID) -> [LogCall] { filter { $0.kinds.contains("\(kind)") } }

    /// The journal fields that the messages can have.
    var allFields: Set<String> { reduce(into: []) { $0.formUnion($1.allFields) } }
}
