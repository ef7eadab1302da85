internal import Glibc
internal import SystemPackage

extension Program {
    /// The exit and the output of a program.
    package struct Result: Hashable, Sendable {
        package let exit: Exit
        package let standardOutput: String
        package let standardError: String
    }

    /// Runs a program until it exits.
    ///
    /// - Parameters:
    ///   - name: The program, named as for its initializer.
    ///   - arguments: The arguments after the name.
    ///   - environment: Variables to add to the test's environment.
    ///   - limit: How long the program may run before it is killed.
    /// - Returns: The exit and the output.
    /// - Throws: See posix_spawn(3); ``TimedOut`` with the output so far.
    package static func run(
        _ name: String,
        _ arguments: [String] = [],
        environment: [String: String] = [:],
        within limit: Duration = patience
    ) throws -> Result {
        try Program(name, arguments, environment: environment).finish(within: limit)
    }

    /// Waits until the program exits, and returns its exit and output.
    package consuming func finish(within limit: Duration = patience) throws -> Result {
        let exit = try waitForExit(within: limit)
        return Result(
            exit: exit,
            standardOutput: try standardOutput,
            standardError: try standardError
        )
    }

    /// The directory of the built tests, which also contains the built programs.
    package static let buildDirectory: String = {
        guard let path = unsafe realpath("/proc/self/exe", nil) else { return "." }
        defer { unsafe free(path) }
        return unsafe FilePath(String(cString: path)).removingLastComponent().string
    }()

    /// Returns the path in the build directory if the program was built there, else the name
    /// itself.
    package static func path(of name: String) -> String {
        let built = "\(buildDirectory)/\(name)"
        if name.contains("/") { return name }
        return unsafe access(built, X_OK) == 0 ? built : name
    }

    /// The test's environment without the variables that a service manager sets for one process.
    static var inheritedEnvironment: [String: String] {
        let words = environment()
        var variables: [String: String] = [:]
        for word in words {
            guard let equals = word.firstIndex(of: "=") else { continue }
            variables[String(word[..<equals])] = String(word[word.index(after: equals)...])
        }
        for name in [
            "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "NOTIFY_SOCKET", "JOURNAL_STREAM",
            "WATCHDOG_PID", "WATCHDOG_USEC", "LD_PRELOAD", "FDSTORE", "VERYPOLLD_FDSTORE",
        ] { variables[name] = nil }
        return variables
    }
}
