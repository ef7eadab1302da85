internal import Console
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

    /// The names of the files, by the index in a ``SourcePosition``.
    private(set) var files: [String]

    /// The root of the document, in which the positions of values are found.
    var root = JSONValue.null

    /// Hides the values of credentials in messages.
    var concealment = Concealment()

    private var problems: [(file: Int, problem: ConfigurationProblem)] = []
    private var omittedCount = 0

    /// Makes a list for the problems of a file.
    init(file: String) {
        files = [file]
    }

    /// Whether no problem was reported so far.
    var isEmpty: Bool { problems.isEmpty }

    /// Adds the name of another file, and returns its index.
    func addFile(_ name: String) -> Int {
        files.append(name)
        return files.count - 1
    }

    /// Returns the name of the file that contains a value.
    func fileName(of pointer: JSONPointer) -> String {
        files[root.nearestValue(at: pointer).position?.file ?? 0]
    }

    /// Reports the duplicate keys of a document.
    func reportDuplicates(in document: JSONDocument) {
        for duplicate in document.duplicates {
            reportDuplicate(duplicate.pointer, at: duplicate.position, of: duplicate.first)
        }
        omittedCount += document.omittedDuplicateCount
    }

    /// Reports a key that occurs twice.
    func reportDuplicate(
        _ pointer: JSONPointer,
        at position: SourcePosition?,
        of first: SourcePosition?
    ) {
        report(
            pointer,
            at: position,
            "duplicate key; first defined at \(place(first, from: position)); remove or rename one"
        )
    }

    /// Returns a position as text, with the name of its file if that is not the file of `other`.
    private func place(_ position: SourcePosition?, from other: SourcePosition?) -> String {
        guard let position else { return "another place" }
        return position.file == other?.file ? "\(position)" : "\(files[position.file]):\(position)"
    }

    /// Returns whether one of the kept problems concerns a value, or a value that contains it.
    func contains(_ pointer: JSONPointer) -> Bool {
        let path = pointer.description
        return problems.contains {
            $0.problem.pointer == path || path.hasPrefix($0.problem.pointer + "/")
        }
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
        let position = position ?? root.nearestValue(at: pointer).position
        report(position, pointer, in: position?.file ?? 0) {
            concealment.apply(to: message(), at: pointer)
        }
    }

    /// Adds a problem that concerns a whole file.
    func report(file: Int, _ message: @autoclosure () -> String) {
        report(nil, .root, in: file, message)
    }

    private func report(
        _ position: SourcePosition?,
        _ pointer: JSONPointer,
        in file: Int,
        _ message: () -> String
    ) {
        guard problems.count < Self.limit else {
            omittedCount += 1
            return
        }
        let problem = ConfigurationProblem(
            file: files[file],
            position: position,
            pointer: pointer.description.cut(to: Self.textLimit),
            message: message().cut(to: Self.textLimit)
        )
        problems.append((file, problem))
    }

    /// Throws the problems in the order of the files, if there are any.
    func throwIfAny() throws(ConfigurationError) {
        if isEmpty { return }
        let order = problems.indices.sorted { left, right in
            let (first, second) = (problems[left], problems[right])
            let places = [first, second].map { entry in
                entry.problem.position ?? SourcePosition(line: 0, column: 0, file: entry.file)
            }
            return places[0] == places[1] ? left < right : places[0] < places[1]
        }
        throw ConfigurationError(
            problems: order.map { problems[$0].problem },
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
