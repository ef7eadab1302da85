internal import StrictJSON

/// Collects the problems of a configuration while it is read and checked.
///
/// The first problems are kept and the others are only counted, so that the work for a file with
/// many errors is bounded.
package final class ProblemList {
    /// The most problems that are kept.
    static let limit = 100

    /// The maximum size of a pointer and of a message, in bytes.
    private static let textLimit = 1024

    /// Finds the known names that mistyped names resemble.
    let suggestions = Suggestions()

    private let file: String
    private let document: JSONDocument
    private var problems: [ConfigurationProblem] = []
    private var omittedCount = 0

    /// Makes a list that contains the document's duplicate keys.
    init(file: String, document: JSONDocument) {
        self.file = file
        self.document = document
        for duplicate in document.duplicates {
            report(
                duplicate.pointer,
                at: duplicate.position,
                "duplicate key; first defined at \(duplicate.first); remove or rename one"
            )
        }
        omittedCount += document.omittedDuplicateCount
    }

    /// Whether no problem was reported so far.
    var isEmpty: Bool { problems.isEmpty }

    /// Returns whether one of the kept problems concerns a value, or a value that contains it.
    func contains(_ pointer: JSONPointer) -> Bool {
        let path = pointer.description
        return problems.contains { $0.pointer == path || path.hasPrefix($0.pointer + "/") }
    }

    /// Adds a problem.
    ///
    /// - Parameters:
    ///   - pointer: The invalid value.
    ///   - position: The problem's position, or `nil` for the position of the value.
    ///   - message: The problem and its remedy; evaluated only if the problem is kept.
    func report(
        _ pointer: JSONPointer,
        at position: SourcePosition? = nil,
        _ message: @autoclosure () -> String
    ) {
        guard problems.count < Self.limit else {
            omittedCount += 1
            return
        }
        problems.append(
            ConfigurationProblem(
                file: file,
                position: position ?? document.nearestValue(at: pointer).position,
                pointer: pointer.description.cut(to: Self.textLimit),
                message: message().cut(to: Self.textLimit)
            )
        )
    }

    /// Throws the problems in the order of the file, if there are any.
    func throwIfAny() throws(ConfigurationError) {
        if isEmpty { return }
        let order = problems.indices.sorted { left, right in
            let first = problems[left].position
            let second = problems[right].position
            guard let first, let second, first != second else { return left < right }
            return first < second
        }
        throw ConfigurationError(
            problems: order.map { problems[$0] },
            omittedCount: omittedCount
        )
    }
}

extension String {
    /// Returns the text, or its beginning and "…" if the text has more bytes.
    fileprivate func cut(to byteCount: Int) -> String {
        guard utf8.count > byteCount else { return self }
        return String(decoding: utf8.prefix(byteCount), as: UTF8.self) + "…"
    }
}
