internal import Console
internal import FoundationEssentials
internal import SystemPackage

/// Prints the result of a verb, as JSON or as lines of text.
struct Output {
    let terminal: Terminal
    let mode: JSONMode
    /// Whether headers and hints are printed.
    let hasLegend: Bool

    init(_ options: GlobalOptions) {
        terminal = options.terminal
        mode = options.jsonMode(on: terminal)
        hasLegend = !options.omitsLegend
    }

    /// Whether hints are printed on standard error.
    var hasHints: Bool { hasLegend && mode == .off }

    /// Prints the problems of a configuration as JSON, in the JSON modes.
    func printProblems(of failure: Failure) throws(Failure) {
        guard mode != .off, !failure.problems.isEmpty else { return }
        try print(["problems": failure.problems]) { _ in [] }
    }

    /// Prints a value as JSON, or the lines that `text` returns for it.
    func print<Value: Encodable>(
        _ value: Value,
        text: (Value) -> [DisplayText]
    ) throws(Failure) {
        let isPretty = mode == .pretty
        try print(lines: mode == .off ? text(value) : json(value, isPretty: isPretty))
    }

    /// Prints a text for programs: unchanged, or escaped on a terminal.
    func print(exactly text: String) throws(Failure) {
        if terminal.isInteractive {
            try print(lines: DisplayText.lines(of: text.removingFinalNewline))
        } else {
            try Self.checkWriting { () throws(Errno) in try Console.print(exactly: text) }
        }
    }

    private func print(lines: [DisplayText]) throws(Failure) {
        try Self.checkWriting { () throws(Errno) in try Console.print(lines) }
    }

    private static func checkWriting(_ body: () throws(Errno) -> Void) throws(Failure) {
        do throws(Errno) {
            try body()
        } catch {
            throw Failure(status: .failed, message: "cannot write: \(error)")
        }
    }

    /// Returns a value as JSON, on one line unless `isPretty` is set.
    ///
    /// Control characters can occur only in strings, where their escapes have the same meaning.
    func json(_ value: some Encodable, isPretty: Bool) throws(Failure) -> [DisplayText] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if isPretty { encoder.outputFormatting.insert(.prettyPrinted) }
        do {
            let text = String(decoding: try encoder.encode(value), as: UTF8.self)
            return DisplayText.lines(of: text)
        } catch {
            throw Failure(status: .failed, message: "cannot encode the answer as JSON")
        }
    }
}

extension String {
    /// The text without a trailing newline.
    fileprivate var removingFinalNewline: String {
        unicodeScalars.last == "\n" ? String(unicodeScalars.dropLast()) : self
    }
}
