import TestSupport

/// Returns options that name a socket and set a timeout as long as a test's patience.
///
/// The command's default timeout of 5 seconds may be too short on a loaded machine.
func patientOptions(socket path: String) -> [String] {
    ["--socket", path, "--timeout", "\(patience.components.seconds)"]
}

/// A daemon for one test.
struct RealDaemon: ~Copyable {
    let program: Program
    let directory: TemporaryDirectory
    let file: String

    /// A configuration with two listeners and an upstream.
    private static let standard = """
        {"workers": 2, "control": {"socket": "DIR/control"},
        "listeners": {
          "echo": {"listen": ["unix:DIR/echo"], "handler": {"type": "echo"}},
          "web": {"listen": ["unix:DIR/web"],
            "handler": {"type": "proxy", "upstream": "app"}}},
        "upstreams": {"app": {"servers": ["unix:DIR/echo", "127.0.0.1:9"]}}}
        """

    /// Starts the daemon and waits until it is ready.
    ///
    /// - Parameters:
    ///   - text: The configuration, in which `DIR` stands for the test's directory; the control
    ///     socket must be DIR/control.
    ///   - files: Other files in the directory, by their names.
    ///   - environment: Variables to add to the test's environment.
    /// - Throws: ``TimedOut`` with the daemon's output, if it does not become ready.
    init(
        _ text: String = Self.standard,
        files: [String: String] = [:],
        environment: [String: String] = [:]
    ) throws {
        let directory = try TemporaryDirectory()
        for (name, text) in files {
            _ = try directory.write(text.replacing("DIR", with: directory.path), to: name)
        }
        let file = try directory.write(
            text.replacing("DIR", with: directory.path),
            to: "verypolld.json"
        )
        let program = try Program("verypolld", ["--config", file], environment: environment)
        try program.waitForStandardError(containing: "is ready")
        self.program = program
        self.file = file
        self.directory = directory
    }

    var controlPath: String { directory.appending("control") }

    func connect(to name: String) throws -> Client {
        try Client(path: directory.appending(name))
    }

    /// Connects, and returns once the session is open.
    func session(on name: String) throws -> Client {
        let client = try connect(to: name)
        try client.send("x")
        _ = try client.receive(exactly: 1)
        return client
    }

    /// Starts the command.
    func start(_ arguments: String...) throws -> Program {
        try Program("verypollctl", arguments + patientOptions(socket: controlPath))
    }

    /// Runs the command until it exits.
    func run(_ arguments: String...) throws -> Program.Result {
        try Program.run("verypollctl", arguments + patientOptions(socket: controlPath))
    }

    /// Runs the command on a terminal without colors, and returns what it displays.
    func runOnTerminal(_ arguments: String...) throws -> String {
        try requireProgram("script")
        let words = arguments + patientOptions(socket: controlPath)
        let command = ([Program.path(of: "verypollctl")] + words).joined(separator: " ")
        let result = try Program.run(
            "script",
            ["-qec", command, "/dev/null"],
            environment: ["NO_COLOR": "1", "TERM": "dumb"]
        )
        // The terminal turns each line feed into a carriage return and a line feed.
        return result.standardOutput.replacing("\r\n", with: "\n")
    }
}
