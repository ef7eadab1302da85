internal import Console
package import StrictJSON

/// A problem in a configuration.
package struct ConfigurationProblem: Hashable, Sendable {
    /// The configuration's file, as the user named it.
    package let file: String

    /// The problem's position in the file, or `nil` if the file could not be read.
    let position: SourcePosition?

    /// The JSON pointer of the value (RFC 6901); empty for the whole file and for syntax errors.
    package let pointer: String

    /// The problem and its remedy.
    package let message: String

    package init(
        file: String,
        position: SourcePosition?,
        pointer: String,
        message: String
    ) {
        self.file = file
        self.position = position
        self.pointer = pointer
        self.message = message
    }
}

extension ConfigurationProblem: CustomStringConvertible {
    /// `FILE:LINE:COLUMN: POINTER: MESSAGE` on one line, without the empty parts.
    package var description: String {
        let place = position.map { "\(file):\($0)" } ?? file
        return [place, pointer, message].filter { !$0.isEmpty }.joined(separator: ": ")
            .escapedForPeople
    }
}

/// The problems of an invalid configuration.
package struct ConfigurationError: Error, Hashable, Sendable {
    /// The problems in the order of the file; never empty.
    package let problems: [ConfigurationProblem]

    /// The number of further problems, which are left out because there are too many.
    package let omittedCount: Int

    /// Makes an error from its problems.
    package init(problems: [ConfigurationProblem], omittedCount: Int = 0) {
        self.problems = problems
        self.omittedCount = omittedCount
    }
}

extension ConfigurationError: CustomStringConvertible {
    /// The problems, one per line, and the number of problems that are left out.
    package var description: String {
        let omitted = omittedText.map { ["\(problems.first?.file ?? ""): \($0)"] } ?? []
        return (problems.map(\.description) + omitted).joined(separator: "\n")
    }

    /// `and 7 more problems`, if some are left out.
    package var omittedText: String? {
        guard omittedCount > 0 else { return nil }
        return "and \(omittedCount) more problem\(omittedCount == 1 ? "" : "s")"
    }
}
