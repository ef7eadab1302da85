#if Net && OSExt
internal import FoundationEssentials
internal import SystemPackage

/// Prints what a verb found, as JSON or as lines of text.
struct Output {
    let terminal: Terminal
    let mode: JSONMode
    /// Whether headers and hints are wanted.
    let hasLegend: Bool

    init(_ options: GlobalOptions) {
        terminal = .standardOutput
        mode = options.jsonMode(on: terminal)
        hasLegend = !options.omitsLegend
    }

    /// Whether what is no data may be said on standard error.
    var hasHints: Bool { hasLegend && mode == .off }

    /// Prints as JSON, where that is wanted, what is wrong with a configuration.
    func printProblems(of failure: Failure) throws(Failure) {
        guard mode != .off, !failure.problems.isEmpty else { return }
        try print(["problems": failure.problems]) { _ in [] }
    }

    /// Prints a value as JSON, or else the lines that `text` makes of it.
    func print<Value: Encodable>(
        _ value: Value,
        text: (Value) -> [String]
    ) throws(Failure) {
        let lines = mode == .off ? text(value) : [try json(value, isPretty: mode == .pretty)]
        guard !lines.isEmpty else { return }
        do {
            let data = Data((lines.joined(separator: "\n") + "\n").utf8)
            _ = try FileDescriptor.standardOutput.writeAll(data)
        } catch {
            throw Failure(status: .failed, message: "cannot write: \(error)")
        }
    }

    /// A value as JSON, on one line unless it is to be pretty.
    func json(_ value: some Encodable, isPretty: Bool) throws(Failure) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if isPretty { encoder.outputFormatting.insert(.prettyPrinted) }
        do {
            return String(decoding: try encoder.encode(value), as: UTF8.self)
        } catch {
            throw Failure(status: .failed, message: "cannot say the answer in JSON")
        }
    }
}
#endif
