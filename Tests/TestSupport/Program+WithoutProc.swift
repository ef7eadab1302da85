import Glibc

extension Program {
    /// Runs a program with proc(5) hidden: an empty file system is mounted over /proc.
    ///
    /// - Parameters:
    ///   - name: The program, named as for its initializer.
    ///   - arguments: The arguments after the name.
    /// - Returns: The exit and the output.
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
