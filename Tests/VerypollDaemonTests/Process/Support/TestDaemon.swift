internal import Glibc
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

/// A daemon for one test: its configuration, control socket and Unix-domain listeners are in its
/// own directory, and the kernel chooses its ports.
struct TestDaemon: ~Copyable {
    private(set) var program: Program
    let directory: TemporaryDirectory
    /// The manager that keeps the descriptors that the daemon stores.
    private let manager: ServiceManager?
    /// The command that starts the daemon.
    private let words: [String]
    /// The sockets that are passed as systemd does, at this and later starts.
    var activated: [PassedSocket]

    /// Starts the daemon, and waits until it is ready.
    ///
    /// - Parameters:
    ///   - listeners: The members of `listeners`, as from ``serving(_:as:listen:_:)``; `DIR` stands
    ///     for the directory.
    ///   - more: Further members of the configuration, each followed by a comma.
    ///   - control: Further members of `control`, each preceded by a comma.
    ///   - workers: The number of workers.
    ///   - launcher: A program with arguments that executes the daemon.
    ///   - sockets: Sockets to pass as systemd does.
    ///   - manager: The manager that keeps the descriptors that the daemon stores.
    /// - Throws: ``TimedOut`` with the daemon's output, if it does not become ready.
    init(
        _ listeners: String...,
        more: String = "",
        control: String = "",
        workers: Int = 2,
        launcher: [String] = [],
        sockets: [PassedSocket] = [],
        manager: ServiceManager? = nil
    ) throws {
        // For the clients and servers of tests, which run concurrently and share the limit.
        try raiseDescriptorLimit(toAtLeast: 16_000)
        let directory = try TemporaryDirectory()
        let text = Self.text(listeners, more: more, control: control, workers: workers)
        let file = try directory.write(
            text.replacing("DIR", with: directory.path),
            to: "verypolld.json"
        )
        let words = launcher + [Program.path(of: "verypolld"), "--config", file]
        let program = try Program(
            words[0],
            Array(words.dropFirst()),
            environment: manager?.environment ?? [:],
            sockets: sockets
        )
        try program.waitForStandardError(containing: "is ready")
        self.program = program
        self.directory = directory
        self.manager = manager
        self.words = words
        activated = sockets
    }

    /// Stops the daemon, for a restart or permanently.
    func stop(forRestart isForRestart: Bool) throws {
        if isForRestart { try program.send(SIGUSR1) }
        try program.send(SIGTERM)
    }

    /// Starts the daemon again after its exit, with the descriptors from its manager.
    mutating func start() throws {
        program = try Program(
            words[0],
            Array(words.dropFirst()),
            environment: manager?.environment ?? [:],
            sockets: (manager?.sockets ?? []) + activated
        )
    }

    /// Whether the daemon has logged that it is ready.
    var isReady: Bool {
        get throws { try program.standardError.contains("is ready") }
    }

    /// Restarts the daemon, and waits until the new process is ready.
    mutating func restart() throws {
        try stop(forRestart: true)
        #expect(try program.waitForExit() == .code(0))
        try start()
        try program.waitForStandardError(containing: "is ready")
    }

    private static func text(
        _ listeners: [String],
        more: String,
        control: String,
        workers: Int
    ) -> String {
        """
        {"workers": \(workers), \(more) "control": {"socket": "DIR/control"\(control)},
        "listeners": {\(listeners.joined(separator: ",\n"))}}
        """
    }

    /// Overwrites the configuration file with another configuration.
    func rewrite(_ listeners: String..., more: String = "", workers: Int = 2) throws {
        let text = Self.text(listeners, more: more, control: "", workers: workers)
        try replace(text)
    }

    /// Overwrites the configuration file with any text.
    func replace(_ text: String) throws {
        _ = try directory.write(text.replacing("DIR", with: directory.path), to: "verypolld.json")
    }

    /// Makes the daemon reload its configuration; returns the pointers of the changes.
    @discardableResult
    func reload() throws -> [String] {
        var peer = try ControlPeer(path: controlPath)
        let list: ChangeList = try peer.result("io.verypoll.Daemon.Reload")
        return list.changes.map(\.pointer)
    }

    /// Makes the daemon load a configuration that it rejects; returns the problems.
    func refusedReload() throws -> [Problem] {
        var peer = try ControlPeer(path: controlPath)
        try peer.client.send(ControlPeer.message("io.verypoll.Daemon.Reload"))
        let reply = try peer.reply(ProblemList.self)
        guard reply.error == "io.verypoll.Daemon.ReloadFailed" else {
            throw ControlPeer.Refusal(error: reply.error ?? "no error")
        }
        return reply.parameters?.problems ?? []
    }

    private struct ProblemList: Decodable {
        var problems: [Problem]
    }

    /// Calls a method that returns nothing.
    func order(_ method: String, _ parameters: String = "{}") throws {
        var peer = try ControlPeer(path: controlPath)
        let reply = try peer.call("io.verypoll.Daemon.\(method)", parameters)
        if let error = reply.error { throw ControlPeer.Refusal(error: error) }
    }

    /// The path of the control socket.
    var controlPath: String { directory.appending("control") }

    /// Returns the status over the control socket.
    func status() throws -> Status {
        var peer = try ControlPeer(path: controlPath)
        return try peer.result("io.verypoll.Daemon.GetStatus")
    }

    /// Returns the status of one listener.
    func status(of name: String) throws -> Status.Listener {
        let listener = try status().listeners.first { $0.name == name }
        guard let listener else { throw Errno.noSuchFileOrDirectory }
        return listener
    }

    /// Returns the sessions that match `query`, the parameters as JSON.
    ///
    /// On a slow machine, a worker may answer too late; then the call is repeated.
    func sessions(_ query: String = "{}") throws -> [Status.Session] {
        try eventually("the sessions") { () -> [Status.Session]? in
            var peer = try ControlPeer(path: controlPath)
            do {
                let list: SessionList = try peer.result("io.verypoll.Daemon.ListSessions", query)
                return list.sessions
            } catch let refusal as ControlPeer.Refusal
                where refusal.error == "io.verypoll.Daemon.Busy"
            {
                return nil
            }
        }
    }

    /// Returns a listener's address, with the port that the kernel chose.
    func address(of name: String = "echo", at index: Int = 0) throws -> String {
        let addresses = try status(of: name).addresses
        guard addresses.indices.contains(index) else { throw Errno.noSuchFileOrDirectory }
        return addresses[index].address
    }

    /// Connects to a listener.
    func connect(to name: String = "echo") throws -> Client {
        try Client(address: address(of: name))
    }

    /// Returns the kernel's ID of a worker's thread.
    func threadID(ofWorker index: Int) throws -> Int32 {
        try program.threadID(named: "worker/\(index)")
    }

    /// Waits until no session is open.
    func waitForNoSession() throws {
        try eventually("the end of all sessions") { try status().totals.active == 0 }
    }

    /// Waits until the totals over all listeners satisfy a condition.
    ///
    /// A worker publishes its counters at the end of each turn, after clients may have seen the
    /// effects.
    func waitForTotals(_ what: String, _ condition: (Status.Totals) -> Bool) throws {
        try eventually(what) { condition(try status().totals) }
    }
}

/// Returns a member of `listeners`.
///
/// - Parameters:
///   - handler: The handler's type.
///   - name: The listener's name; by default the handler's type.
///   - address: The addresses to listen on, separated by spaces.
///   - keys: Further members, each preceded by a comma.
/// - Returns: The member's text.
func serving(
    _ handler: String,
    as name: String? = nil,
    listen address: String = "127.0.0.1:0",
    _ keys: String = ""
) -> String {
    let addresses = address.split(separator: " ").map { "\"\($0)\"" }.joined(separator: ", ")
    return """
        "\(name ?? handler)": {"listen": [\(addresses)], "handler": {"type": "\(handler)"}\(keys)}
        """
}
