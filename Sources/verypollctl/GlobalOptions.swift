internal import ArgumentParser

/// The options that every verb has.
struct GlobalOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The control socket of the daemon.",
            discussion: """
                By default the first of these that exists: /run/verypolld/control.sock; \
                /run/verypolld.sock, if systemd holds it; $XDG_RUNTIME_DIR/verypolld/control.sock \
                of a daemon that you started yourself.
                """,
            valueName: "path"
        ),
        completion: .file()
    )
    var socket: String?

    @Option(help: ArgumentHelp("Print what the daemon answers as JSON.", valueName: "mode"))
    var json: JSONMode?

    @Flag(
        name: .customShort("j"),
        help: "As --json=pretty on a terminal, as --json=short elsewhere."
    )
    var printsJSON = false

    @Flag(name: .customLong("no-legend"), help: "Print no headers and no hints.")
    var omitsLegend = false

    @Flag(name: .customLong("no-pager"), help: "Accepted; a pager is never used.")
    var usesNoPager = false

    @Option(
        help: ArgumentHelp("How long to wait for an answer, in seconds.", valueName: "seconds")
    )
    var timeout = 5.0

    mutating func validate() throws {
        guard socket != "" else {
            throw ValidationError("--socket takes the path of a socket.")
        }
        guard timeout > 0, timeout <= 86_400 else {
            throw ValidationError("--timeout takes a number of seconds from above 0 to 86400.")
        }
    }

    /// How JSON is to be printed, `off` where text is wanted.
    func jsonMode(on terminal: Terminal) -> JSONMode {
        json ?? (printsJSON ? (terminal.isInteractive ? .pretty : .short) : .off)
    }

    /// Connects to the daemon.
    func connect() throws(Failure) -> DaemonConnection {
        try DaemonConnection(
            path: socket ?? DaemonConnection.defaultPath(),
            timeout: .seconds(timeout)
        )
    }
}

/// How JSON is to be printed.
enum JSONMode: String, CaseIterable, ExpressibleByArgument, Sendable {
    case pretty
    case short
    case off
}
