internal import Glibc
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

/// A daemon of the test's own: its configuration, its control socket and its Unix-domain listeners
/// are in a directory of its own, and its ports are those that the kernel chose.
struct TestDaemon: ~Copyable {
    private(set) var program: Program
    let directory: TemporaryDirectory
    /// Who keeps what the daemon stores.
    private let manager: ServiceManager?
    /// What starts it.
    private let words: [String]
    /// What is handed over as systemd does, now and at later starts.
    var activated: [PassedSocket]

    /// Starts the daemon, and waits until it is ready.
    ///
    /// - Parameters:
    ///   - listeners: The members of `listeners`, as ``serving(_:as:listen:_:)`` writes them; `DIR`
    ///     stands for the directory.
    ///   - more: Further members of the configuration, each with a comma behind it.
    ///   - control: Further members of `control`, each with a comma before it.
    ///   - workers: The number of workers.
    ///   - launcher: A program and its arguments that starts the daemon in its own place.
    ///   - sockets: What is handed over as systemd does.
    ///   - manager: Who keeps what the daemon stores.
    /// - Throws: ``TimedOut`` with what it said, if it does not become ready.
    init(
        _ listeners: String...,
        more: String = "",
        control: String = "",
        workers: Int = 2,
        launcher: [String] = [],
        sockets: [PassedSocket] = [],
        manager: ServiceManager? = nil
    ) throws {
        // For its clients and servers; tests run beside each other, and share what there is.
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

    /// Asks it to end, as for a restart or for good.
    func stop(forRestart isForRestart: Bool) throws {
        if isForRestart { try program.send(SIGUSR1) }
        try program.send(SIGTERM)
    }

    /// Starts it again once it has ended, with what its manager has kept.
    mutating func start() throws {
        program = try Program(
            words[0],
            Array(words.dropFirst()),
            environment: manager?.environment ?? [:],
            sockets: (manager?.sockets ?? []) + activated
        )
    }

    /// Whether it has said that it is ready.
    var isReady: Bool {
        get throws { try program.standardError.contains("is ready") }
    }

    /// Lets another process take its place, and waits until that is ready.
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

    /// Writes another configuration over the one that the daemon was started with.
    func rewrite(_ listeners: String..., more: String = "", workers: Int = 2) throws {
        let text = Self.text(listeners, more: more, control: "", workers: workers)
        try replace(text)
    }

    /// Writes any text over the configuration.
    func replace(_ text: String) throws {
        _ = try directory.write(text.replacing("DIR", with: directory.path), to: "verypolld.json")
    }

    /// Has the daemon load its configuration again; returns the pointers of what has changed.
    @discardableResult
    func reload() throws -> [String] {
        var peer = try ControlPeer(path: controlPath)
        let list: ChangeList = try peer.result("io.verypoll.Daemon.Reload")
        return list.changes.map(\.pointer)
    }

    /// Has the daemon load a configuration that it refuses; returns the problems.
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

    /// Calls a method that answers nothing.
    func order(_ method: String, _ parameters: String = "{}") throws {
        var peer = try ControlPeer(path: controlPath)
        let reply = try peer.call("io.verypoll.Daemon.\(method)", parameters)
        if let error = reply.error { throw ControlPeer.Refusal(error: error) }
    }

    /// The path of the control socket.
    var controlPath: String { directory.appending("control") }

    /// Asks over the control socket how the daemon is doing.
    func status() throws -> Status {
        var peer = try ControlPeer(path: controlPath)
        return try peer.result("io.verypoll.Daemon.GetStatus")
    }

    /// Asks how one listener is doing.
    func status(of name: String) throws -> Status.Listener {
        let listener = try status().listeners.first { $0.name == name }
        guard let listener else { throw Errno.noSuchFileOrDirectory }
        return listener
    }

    /// Asks for the sessions that fit `query`, the parameters as JSON.
    ///
    /// Where the machine stalls, a worker may answer too late; then they are asked for again.
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

    /// The address that a listener accepts on, with the port that the kernel chose.
    func address(of name: String = "echo", at index: Int = 0) throws -> String {
        let addresses = try status(of: name).addresses
        guard addresses.indices.contains(index) else { throw Errno.noSuchFileOrDirectory }
        return addresses[index].address
    }

    /// Connects to a listener.
    func connect(to name: String = "echo") throws -> Client {
        try Client(address: address(of: name))
    }

    /// The kernel's number of a worker's thread.
    func threadID(ofWorker index: Int) throws -> Int32 {
        try program.threadID(named: "worker/\(index)")
    }

    /// Waits until no session is open any more.
    func waitForNoSession() throws {
        try eventually("the end of all sessions") { try status().totals.active == 0 }
    }

    /// Waits until the sums over all listeners are as they shall be.
    ///
    /// What a worker's turn has counted is published at the turn's end, and a client may see what
    /// happened before that.
    func waitForTotals(_ what: String, _ condition: (Status.Totals) -> Bool) throws {
        try eventually(what) { condition(try status().totals) }
    }
}

/// A member of `listeners` in a configuration.
///
/// - Parameters:
///   - handler: The type of its handler.
///   - name: What it is called; by default as the handler.
///   - address: Where it listens; several are separated by blanks.
///   - keys: Further members, each with a comma before it.
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
