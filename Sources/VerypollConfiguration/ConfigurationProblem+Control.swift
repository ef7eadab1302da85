internal import StrictJSON
package import VerypollControl

extension Problem {
    /// The problem as those see it who ask over the control socket.
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
    /// The problems as those see them who ask over the control socket.
    package var reported: [Problem] { problems.map(Problem.init) }
}
