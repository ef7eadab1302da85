internal import Glibc
internal import SystemPackage

/// A program that a test has started; it is killed at the end of the scope if it still runs.
///
/// Its output goes to files, so the program never blocks on a reader.
package struct Program: ~Copyable, Sendable {
    /// How a program ended.
    package enum Exit: Hashable, Sendable {
        case code(Int32)
        case signal(Int32)
    }

    /// The program's process ID, valid until the end of the scope.
    package let processID: Int32
    private let name: String
    private let output: FileDescriptor
    private let errors: FileDescriptor

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - name: The name of a program that this package builds, a path, or a name in `PATH`.
    ///   - arguments: The arguments after the name.
    ///   - environment: Variables to add to the test's environment, which is passed without the
    ///     variables that the service manager set for the test.
    ///   - sockets: Named descriptors to pass as systemd does, from 3 upwards.
    /// - Throws: See posix_spawn(3).
    package init(
        _ name: String,
        _ arguments: [String] = [],
        environment: [String: String] = [:],
        sockets: [PassedSocket] = []
    ) throws {
        let program = Program.path(of: name)
        var variables = Program.inheritedEnvironment.merging(environment) { $1 }
        var words = [program] + arguments
        if !sockets.isEmpty {
            variables["LISTEN_FDS"] = String(sockets.count)
            variables["LISTEN_FDNAMES"] = sockets.map(\.name).joined(separator: ":")
            // LISTEN_PID must be the process's own PID, which only that process knows before it
            // executes.
            words = ["/bin/sh", "-c", #"LISTEN_PID=$$ exec "$0" "$@""#] + words
        }
        let output = try makeUnnamedFile()
        let errors: FileDescriptor
        do { errors = try makeUnnamedFile() } catch {
            try? output.close()
            throw error
        }
        do {
            processID = try spawn(
                words,
                environment: variables.map { "\($0)=\($1)" },
                standardOutput: output,
                standardError: errors,
                passing: sockets.map(\.descriptor)
            )
        } catch {
            try? output.close()
            try? errors.close()
            throw error
        }
        self.name = name
        self.output = output
        self.errors = errors
    }

    deinit {
        // The process stays a zombie until the wait below, so the PID is still its own.
        _ = kill(processID, SIGKILL)
        _ = waitpid(processID, nil, 0)
        try? output.close()
        try? errors.close()
    }

    /// Everything that the program has written to its standard output so far.
    package var standardOutput: String {
        get throws { try output.text() }
    }

    /// Everything that the program has written to its standard error so far.
    package var standardError: String {
        get throws { try errors.text() }
    }

    /// Sends a signal.
    package func send(_ signal: Int32) throws {
        try check(kill(processID, signal))
    }

    /// Stops the program with `SIGSTOP` and waits until none of its threads runs; `SIGCONT` resumes
    /// it.
    package func freeze() throws {
        try send(SIGSTOP)
        try eventually("\(name) to stop") {
            var info = unsafe siginfo_t()
            let flags = WSTOPPED | WNOHANG | WNOWAIT
            try check(unsafe waitid(P_PID, id_t(processID), &info, flags))
            return unsafe info._sifields._sigchld.si_pid == processID
        }
    }

    /// How the program exited, or nil while it runs.
    package var exit: Exit? {
        get throws {
            var info = unsafe siginfo_t()
            let flags = WEXITED | WNOHANG | WNOWAIT
            try check(unsafe waitid(P_PID, id_t(processID), &info, flags))
            let child = unsafe info._sifields._sigchld
            if child.si_pid == 0 { return nil }
            let status = child.si_status
            return unsafe info.si_code == Int32(CLD_EXITED) ? .code(status) : .signal(status)
        }
    }

    /// Waits until the program exits, and returns how it exited.
    @discardableResult
    package func waitForExit(within limit: Duration = patience) throws -> Exit {
        try explaining { try eventually("the end of \(name)", within: limit) { try exit } }
    }

    /// Waits until the program's standard error contains `text`, and returns all of it.
    @discardableResult
    package func waitForStandardError(
        containing text: String,
        within limit: Duration = patience
    ) throws -> String {
        try explaining {
            try eventually("\"\(text)\" from \(name)", within: limit) {
                let said = try standardError
                if said.contains(text) { return said }
                return try exit == nil ? nil : missing(text)
            }
        }
    }

    /// Waits until the program's standard output contains `text`, and returns all of it.
    @discardableResult
    package func waitForStandardOutput(
        containing text: String,
        within limit: Duration = patience
    ) throws -> String {
        try explaining {
            try eventually("\"\(text)\" from \(name)", within: limit) {
                let said = try standardOutput
                if said.contains(text) { return said }
                return try exit == nil ? nil : missing(text)
            }
        }
    }

    /// Returns the output that contains `text`, or throws: an exited program writes no more.
    private func missing(_ text: String) throws -> String {
        for said in [try standardError, try standardOutput] where said.contains(text) {
            return said
        }
        throw TimedOut(waitingFor: "\"\(text)\" from \(name)", detail: "it has exited")
    }

    /// Adds the program's output to the error of a failed wait.
    private func explaining<Value>(_ body: () throws -> Value) throws -> Value {
        do { return try body() } catch let error as TimedOut {
            let said = "its output: \(try standardOutput)\nits errors: \(try standardError)"
            throw TimedOut(waitingFor: error.description, detail: said)
        }
    }
}
