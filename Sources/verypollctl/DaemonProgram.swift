internal import Console
internal import FoundationEssentials
internal import Glibc

/// The daemon's program, which checks configurations where no daemon runs.
enum DaemonProgram {
    /// What it says about a configuration; the reasons are on standard error.
    enum Verdict {
        case valid
        case invalid
        /// It could not check it.
        case failed
        /// There is no such program.
        case missing
    }

    /// The exit status of sysexits for a configuration that is refused.
    private static let refused: Int32 = 78

    /// Lets it check a file, or what it would run with if `file` is `nil`.
    static func check(_ file: String?, printing isPrinting: Bool) -> Verdict {
        let words = ["verypolld", "--check-config"] + (file.map { [$0] } ?? [])
        guard let status = run(words, printing: isPrinting) else { return .missing }
        return switch status {
        case 0: .valid
        case refused: .invalid
        default: .failed
        }
    }

    /// The program beside this one, or its name if it is to be looked for in `$PATH`.
    private static var path: String {
        guard let own = ProgramArguments.programPath(), let slash = own.lastIndex(of: "/")
        else { return "verypolld" }
        let folder = own[..<slash]
        let beside = "\(folder)/verypolld"
        return FileManager.default.isExecutableFile(atPath: beside) ? beside : "verypolld"
    }

    /// Runs it to its end.
    ///
    /// - Returns: Its exit status, or `nil` if it cannot be started.
    private static func run(_ words: [String], printing isPrinting: Bool) -> Int32? {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        if !isPrinting {
            unsafe posix_spawn_file_actions_addopen(
                &actions,
                STDOUT_FILENO,
                "/dev/null",
                O_WRONLY,
                0
            )
        }
        var arguments = unsafe words.map { unsafe strdup($0) } + [nil]
        defer { unsafe arguments.forEach { unsafe free($0) } }
        var process = pid_t()
        guard unsafe posix_spawnp(&process, path, &actions, nil, &arguments, environ) == 0 else {
            return nil
        }
        var status: Int32 = 0
        while unsafe waitpid(process, &status, 0) < 0 {
            guard errno == EINTR else { return nil }
        }
        // As WIFEXITED and WEXITSTATUS have it.
        return status & 0x7F == 0 ? status >> 8 & 0xFF : -1
    }
}
