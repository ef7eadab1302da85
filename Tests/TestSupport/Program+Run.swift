internal import Glibc
internal import SystemPackage

extension Program {
    /// What a program that has ended left behind.
    package struct Result: Hashable, Sendable {
        package let exit: Exit
        package let standardOutput: String
        package let standardError: String
    }

    /// Runs a program to its end.
    ///
    /// - Parameters:
    ///   - name: As for starting one.
    ///   - arguments: What follows the name.
    ///   - environment: Variables to set over those of the test.
    ///   - limit: How long it may take; then it is killed.
    /// - Returns: How it ended and what it said.
    /// - Throws: See posix_spawn(3); ``TimedOut`` with what it said.
    package static func run(
        _ name: String,
        _ arguments: [String] = [],
        environment: [String: String] = [:],
        within limit: Duration = patience
    ) throws -> Result {
        try Program(name, arguments, environment: environment).finish(within: limit)
    }

    /// Waits until the program has ended, and returns how and with what.
    package consuming func finish(within limit: Duration = patience) throws -> Result {
        let exit = try waitForExit(within: limit)
        return Result(
            exit: exit,
            standardOutput: try standardOutput,
            standardError: try standardError
        )
    }

    /// The directory that the running tests were built into, where the programs are as well.
    package static let buildDirectory: String = {
        guard let path = unsafe realpath("/proc/self/exe", nil) else { return "." }
        defer { unsafe free(path) }
        return unsafe FilePath(String(cString: path)).removingLastComponent().string
    }()

    /// Where a program is: in the build directory if it was built there, else as it is named.
    package static func path(of name: String) -> String {
        let built = "\(buildDirectory)/\(name)"
        if name.contains("/") { return name }
        return unsafe access(built, X_OK) == 0 ? built : name
    }

    /// The test's environment without what a service manager tells to the one process it starts.
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
