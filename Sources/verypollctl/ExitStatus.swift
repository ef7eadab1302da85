internal import Console
internal import VerypollControl

/// What the command ends with; scripts rely on the numbers.
enum ExitStatus: Int32, Sendable {
    case done = 0
    case failed = 1
    case usage = 2
    case unreachable = 3
    /// There is no such object, or the caller may not do this.
    case refused = 4
    case invalidConfiguration = 5
}

/// Why a verb could not do what it was asked for.
struct Failure: Error, Hashable {
    let status: ExitStatus
    let message: String
    /// What is wrong with a configuration, to be said in the message's place.
    var problems: [Problem] = []
    /// How many more problems there are.
    var omittedProblemCount = 0

    /// What the user is told.
    var lines: [DisplayText] {
        if problems.isEmpty { return ["verypollctl: \(message)"] }
        return problems.map(\.text) + omittedLines
    }
}

extension Failure {
    /// The line about problems that are left out, if any are, as verypolld says it.
    private var omittedLines: [DisplayText] {
        guard omittedProblemCount > 0 else { return [] }
        let noun: DisplayText = omittedProblemCount == 1 ? "problem" : "problems"
        return ["\(problems[0].file): and \(omittedProblemCount) more " + noun]
    }
}

extension Problem {
    /// `FILE:LINE:COLUMN: POINTER: MESSAGE`, without the parts that are not there.
    fileprivate var text: DisplayText {
        let place = ([file] + [line, column].compactMap { $0.map(String.init) })
            .joined(separator: ":")
        let parts = [place, pointer, message].filter { !$0.isEmpty }
        return DisplayText(parts.joined(separator: ": "))
    }
}
