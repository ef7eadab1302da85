/// Collects what is wrong with a configuration while it is read and checked.
final class ProblemList {
    private let file: String
    private let document: JSONDocument
    private var problems: [ConfigurationProblem] = []

    /// Makes a list that has the document's keys that stand twice.
    init(file: String, document: JSONDocument) {
        self.file = file
        self.document = document
        for duplicate in document.duplicates {
            report(
                duplicate.pointer,
                at: duplicate.position,
                "this key stands twice, first at \(duplicate.first); remove or rename one"
            )
        }
    }

    /// Whether nothing is wrong so far.
    var isEmpty: Bool { problems.isEmpty }

    /// Whether something is wrong with a value, or with one that it is in.
    func contains(_ pointer: JSONPointer) -> Bool {
        let path = pointer.description
        return problems.contains { $0.pointer == path || path.hasPrefix($0.pointer + "/") }
    }

    /// Adds a problem.
    ///
    /// - Parameters:
    ///   - pointer: The value that is wrong.
    ///   - position: Its place, if it is not the place of the value itself.
    ///   - message: What is wrong, and how to mend it.
    func report(_ pointer: JSONPointer, at position: SourcePosition? = nil, _ message: String) {
        problems.append(
            ConfigurationProblem(
                file: file,
                position: position ?? document.nearestValue(at: pointer).position,
                pointer: pointer.description,
                message: message
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
        throw ConfigurationError(problems: order.map { problems[$0] })
    }
}
