import Glibc

extension Program {
    /// Runs a program to its end where proc(5) can't be read: an empty file system lies over it.
    ///
    /// - Parameters:
    ///   - name: As for starting one.
    ///   - arguments: What follows the name.
    /// - Returns: How it ended and what it said.
    /// - Throws: ``MissingProgram``; see also posix_spawn(3).
    package static func runWithoutProc(
        _ name: String,
        _ arguments: [String] = []
    ) throws -> Result {
        try requireProgram("unshare")
        let script = "mount -t tmpfs none /proc && exec \"$0\" \"$@\""
        let asRoot = geteuid() == 0 ? [] : ["--user", "--map-root-user"]
        let launcher =
            asRoot + ["--mount", "--propagation", "private", "--", "/bin/sh", "-c", script]
        return try run("unshare", launcher + [path(of: name)] + arguments)
    }
}
