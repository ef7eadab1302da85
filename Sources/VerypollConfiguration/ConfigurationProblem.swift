internal import Console
package import StrictJSON

/// Something that is wrong with a configuration.
package struct ConfigurationProblem: Hashable, Sendable {
    /// The configuration's file, as the user named it.
    package let file: String

    /// Where in the file it is, or `nil` if the file could not be read at all.
    let position: SourcePosition?

    /// The way to the value, as RFC 6901 writes it; empty for the whole file and for its syntax.
    package let pointer: String

    /// What is wrong, and how to mend it.
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
    /// `FILE:LINE:COLUMN: POINTER: MESSAGE` on one line, without the parts that are empty.
    package var description: String {
        let place = position.map { "\(file):\($0)" } ?? file
        return [place, pointer, message].filter { !$0.isEmpty }.joined(separator: ": ")
            .escapedForPeople
    }
}

/// A configuration that is refused, with everything that is wrong with it.
package struct ConfigurationError: Error, Hashable, Sendable {
    /// What is wrong, in the order of the file; never empty.
    package let problems: [ConfigurationProblem]

    /// How many more problems there are, which are left out because they are too many.
    package let omittedCount: Int

    /// Makes an error of its problems.
    package init(problems: [ConfigurationProblem], omittedCount: Int = 0) {
        self.problems = problems
        self.omittedCount = omittedCount
    }
}

extension ConfigurationError: CustomStringConvertible {
    /// The problems, a line each, and how many are left out.
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
