internal import StrictJSON
package import VerypollControl

extension Problem {
    /// Makes the problem that the control socket reports.
    package init(_ problem: ConfigurationProblem) {
        self.init(
            file: problem.file,
            line: problem.position?.line,
            column: problem.position?.column,
            pointer: problem.pointer,
            message: problem.message
        )
    }
}

extension ConfigurationError {
    /// The problems that the control socket reports.
    package var reported: [Problem] { problems.map(Problem.init) }
}
