/// The files and variables to which the text of a configuration can refer.
package struct Surroundings {
    /// The remedy for an unknown variable of the daemon.
    package static let usualRemedy =
        "set it in the environment of verypolld, with Environment= or LoadCredential= of the service"

    let files: FileReader
    let variables: Variables

    /// The remedy for an unknown variable, in the imperative.
    let remedy: String

    /// Makes surroundings.
    package init(
        variables: Variables = .ofProcess(),
        remedy: String = Surroundings.usualRemedy
    ) {
        files = FileReader(attempt: nil)
        self.variables = variables
        self.remedy = remedy
    }

    /// Makes the surroundings of the daemon.
    ///
    /// - Parameter attempt: Calls the functions that open files, and repeats a call if needed.
    init(attempt: OpenAttempt?) {
        files = FileReader(attempt: attempt)
        variables = .ofProcess()
        remedy = Self.usualRemedy
    }
}
