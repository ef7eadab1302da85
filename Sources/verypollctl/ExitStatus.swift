internal import Console
internal import VerypollControl

/// The exit status of the command; scripts rely on the numbers.
enum ExitStatus: Int32, Sendable {
    case done = 0
    case failed = 1
    case usage = 2
    case unreachable = 3
    /// The object does not exist, or the caller has no permission.
    case refused = 4
    case invalidConfiguration = 5

    /// The number of the status in sysexits(3), which systemd knows by name.
    var sysexit: Int32 {
        switch self {
        case .done: 0
        case .failed: 75
        case .usage: 64
        case .unreachable: 69
        case .refused: 77
        case .invalidConfiguration: 78
        }
    }
}

/// The reason why a verb failed.
struct Failure: Error, Hashable {
    let status: ExitStatus
    let message: String
    /// The problems of a configuration, which are printed instead of the message.
    var problems: [Problem] = []
    /// The number of further problems.
    var omittedProblemCount = 0
    /// Whether the process exits with a status of sysexits(3).
    var usesSysexits = false

    /// The exit status of the process.
    var exitStatus: Int32 { usesSysexits ? status.sysexit : status.rawValue }

    /// The lines that the user sees.
    var lines: [DisplayText] {
        if problems.isEmpty { return ["verypollctl: \(message)"] }
        return problems.map(\.text) + omittedLines
    }
}

extension Failure {
    /// The line about problems that are left out, if any, as verypolld prints it.
    private var omittedLines: [DisplayText] {
        guard omittedProblemCount > 0 else { return [] }
        let noun: DisplayText = omittedProblemCount == 1 ? "problem" : "problems"
        return ["\(problems[0].file): and \(omittedProblemCount) more " + noun]
    }
}

extension Problem {
    /// `FILE:LINE:COLUMN: POINTER: MESSAGE`, without the empty parts.
    fileprivate var text: DisplayText {
        let place = ([file] + [line, column].compactMap { $0.map(String.init) })
            .joined(separator: ":")
        let parts = [place, pointer, message].filter { !$0.isEmpty }
        return DisplayText(parts.joined(separator: ": "))
    }
}
