internal import ArgumentParser

/// The options of every verb.
struct GlobalOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The control socket of the daemon.",
            discussion: """
                By default, the first of these that exists: /run/verypolld/control.sock; \
                /run/verypolld.sock, which systemd can open; \
                $XDG_RUNTIME_DIR/verypolld/control.sock of a daemon that you started yourself.
                """,
            valueName: "path"
        ),
        completion: .file()
    )
    var socket: String?

    @Option(help: ArgumentHelp("Print the daemon's answer as JSON.", valueName: "mode"))
    var json: JSONMode?

    @Flag(
        name: .customShort("j"),
        help: "Like --json=pretty on a terminal, and like --json=short elsewhere."
    )
    var printsJSON = false

    @Flag(name: .customLong("no-legend"), help: "Print no headers and no hints.")
    var omitsLegend = false

    @Flag(name: .customLong("no-pager"), help: "Accepted; the command never uses a pager.")
    var usesNoPager = false

    @Option(
        help: ArgumentHelp(
            """
            The width of tables; 0 for no limit. By default, $COLUMNS, or the width of the \
            terminal; no limit if standard output is not a terminal.
            """,
            valueName: "columns"
        )
    )
    var width: Int?

    @Option(
        help: ArgumentHelp("The time to wait for an answer, in seconds.", valueName: "seconds")
    )
    var timeout = 5.0

    mutating func validate() throws {
        guard socket != "" else {
            throw ValidationError("--socket requires the path of a socket.")
        }
        guard width.map({ $0 >= 0 }) ?? true else {
            throw ValidationError("--width requires a number of columns, or 0 for no limit.")
        }
        guard timeout > 0, timeout <= 86_400 else {
            throw ValidationError("--timeout requires a number of seconds above 0 and up to 86400.")
        }
    }

    /// The properties of standard output.
    var terminal: Terminal {
        var terminal = Terminal.standardOutput
        if let width { terminal.columns = width == 0 ? nil : width }
        return terminal
    }

    /// Returns the form of JSON output, or `off` for text.
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

/// The form of JSON output.
enum JSONMode: String, CaseIterable, ExpressibleByArgument, Sendable {
    case pretty
    case short
    case off
}
