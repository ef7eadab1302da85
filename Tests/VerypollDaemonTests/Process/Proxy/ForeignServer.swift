internal import Glibc
internal import TestSupport

/// A third-party server: a child process with its own port and directory.
struct ForeignServer: ~Copyable {
    let program: Program
    let directory: TemporaryDirectory
    /// The port of 127.0.0.1 on which it listens.
    let port: UInt16
    /// The signal that shuts it down, for a server that would leave something behind if killed.
    private let farewell: Int32?

    /// Starts a program, and waits until it accepts connections.
    ///
    /// - Parameters:
    ///   - farewell: The signal that shuts it down; without one, it is killed.
    ///   - socket: The name of a socket in its directory that accepts connections when the server
    ///     does, for servers whose port must not be probed.
    ///   - start: Starts the program, in a directory of its own, with a port to listen on.
    /// - Throws: ``TimedOut`` with the program's output.
    init(
        farewell: Int32? = nil,
        socket: String? = nil,
        _ start: (_ directory: borrowing TemporaryDirectory, _ port: UInt16) throws -> Program
    ) throws {
        let directory = try TemporaryDirectory()
        let port = try reservedPort()
        let program = try start(directory, port)
        let path = "\(directory.path)/\(socket ?? "")"
        try Self.waitForService(program) {
            socket == nil
                ? (try? Client(port: port)) != nil : (try? Client(path: path)) != nil
        }
        self.port = port
        self.farewell = farewell
        self.program = program
        self.directory = directory
    }

    deinit {
        guard let farewell else { return }
        try? program.send(farewell)
        _ = try? program.waitForExit()
    }

    /// The address that the server listens on.
    var address: String { "127.0.0.1:\(port)" }

    private static func waitForService(
        _ program: borrowing Program,
        _ isServing: () -> Bool
    ) throws {
        do {
            try eventually("a server to accept") {
                if try program.exit != nil {
                    throw TimedOut(waitingFor: "a program that has exited")
                }
                return isServing()
            }
        } catch let error as TimedOut {
            let said = "\(try program.standardOutput)\n\(try program.standardError)"
            throw TimedOut(waitingFor: "\(error)", detail: said)
        }
    }
}

extension ForeignServer {
    /// Starts a redis-server without persistence.
    ///
    /// - Parameter settings: Further words of its command line.
    /// - Returns: The server.
    /// - Throws: ``TimedOut`` with its output.
    static func redis(_ settings: String...) throws -> ForeignServer {
        try requireProgram("redis-server")
        return try ForeignServer { directory, port in
            let words = ["--port", "\(port)", "--bind", "127.0.0.1", "--dir", directory.path]
            let others = ["--save", "", "--appendonly", "no"] + settings
            return try Program("redis-server", words + others)
        }
    }

    /// Starts nginx with one or more servers in its configuration.
    ///
    /// - Parameter servers: Returns their configuration, for the port to listen on.
    /// - Returns: The server.
    /// - Throws: ``TimedOut`` with its output.
    static func nginx(_ servers: (_ port: UInt16) -> String) throws -> ForeignServer {
        try requireProgram("/usr/sbin/nginx")
        return try ForeignServer { directory, port in
            let paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
                .map { "\($0)_temp_path \(directory.path)/\($0);" }
            let text = """
                daemon off;
                master_process off;
                pid \(directory.path)/pid;
                error_log stderr;
                events {}
                http {
                    access_log off;
                    \(paths.joined(separator: "\n"))
                    \(servers(port))
                }
                """
            let file = try directory.write(text, to: "nginx.conf")
            let words = ["-p", directory.path, "-e", "stderr", "-c", file]
            return try Program("/usr/sbin/nginx", words)
        }
    }

    /// Starts haproxy with one frontend, `front`, and one backend, `app`.
    ///
    /// - Parameters:
    ///   - server: The backend's server: its address and options.
    ///   - backend: Further lines of the backend.
    /// - Returns: The server.
    /// - Throws: ``TimedOut`` with its output.
    static func haproxy(server: String, backend: String = "") throws -> ForeignServer {
        try requireProgram("/usr/sbin/haproxy")
        // A connection to haproxy's port would be forwarded to the server behind it.
        return try ForeignServer(socket: "admin") { directory, port in
            let text = """
                global
                    nbthread 1
                    stats socket \(directory.path)/admin
                defaults
                    mode tcp
                    timeout connect 30s
                    timeout check 30s
                    timeout client 1m
                    timeout server 1m
                frontend front
                    bind 127.0.0.1:\(port)
                    unique-id-format %ci:%cp-%ts
                    default_backend app
                backend app
                    \(backend)
                    server app \(server)

                """
            let file = try directory.write(text, to: "haproxy.cfg")
            return try Program("/usr/sbin/haproxy", ["-db", "-f", file])
        }
    }

    /// Creates a PostgreSQL cluster that trusts everyone, and starts PostgreSQL on it.
    ///
    /// Its Unix-domain socket is in the directory as well. PostgreSQL refuses to run as root, so
    /// root starts it as nobody.
    ///
    /// - Parameters:
    ///   - name: Its `cluster_name`; with a name, it accepts TLS as well.
    ///   - authentication: The method by which it authenticates its users.
    ///   - isRecovering: Whether it recovers forever and accepts no sessions.
    /// - Returns: The server.
    /// - Throws: ``TimedOut`` with its output.
    static func postgreSQL(
        named name: String = "",
        authentication: String = "trust",
        isRecovering: Bool = false
    ) throws -> ForeignServer {
        let found = try Program.run(
            "/bin/sh",
            ["-c", "ls -d /usr/lib/postgresql/*/bin | tail -n 1"]
        )
        let folder = String(found.standardOutput.dropLast())
        try requireProgram("\(folder)/initdb")
        let user = "65534"
        let prefix =
            getuid() == 0
            ? ["setpriv", "--reuid", user, "--regid", user, "--clear-groups", "--"] : []
        // After a signal it removes its shared memory, which it could not do when killed.
        let server = try ForeignServer(farewell: SIGQUIT) { directory, port in
            let password = try directory.write("secret\n", to: "password")
            if getuid() == 0 { try run("chown", ["-R", user, directory.path]) }
            let data = directory.appending("data")
            let making =
                prefix + ["\(folder)/initdb", "-D", data, "-U", "postgres", "-A", authentication]
                + ["--pwfile", password]
                + ["--no-sync", "--locale=C", "-E", "UTF8"]
            try run(making[0], Array(making.dropFirst()))
            var starting =
                prefix + ["\(folder)/postgres", "-D", data, "-k", directory.path]
                + ["-p", "\(port)", "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
            if !name.isEmpty {
                let making =
                    prefix + ["openssl", "req", "-x509", "-newkey", "ec", "-nodes", "-days", "2"]
                    + ["-pkeyopt", "ec_paramgen_curve:P-256", "-subj", "/CN=\(name)"]
                    + ["-keyout", "\(data)/server.key", "-out", "\(data)/server.crt"]
                try run(making[0], Array(making.dropFirst()))
                starting += ["-c", "ssl=on", "-c", "cluster_name=\(name)"]
            }
            if isRecovering {
                let making = prefix + ["touch", "\(data)/standby.signal"]
                try run(making[0], Array(making.dropFirst()))
                starting += ["-c", "hot_standby=off"]
            }
            return try Program(starting[0], Array(starting.dropFirst()))
        }
        guard !isRecovering else { return server }
        // It accepts connections some time before it can serve them.
        try server.program.waitForStandardError(containing: "ready to accept connections")
        return server
    }
}

/// Runs a program that must succeed, and returns its output.
@discardableResult
func run(_ name: String, _ words: [String], within limit: Duration = .seconds(120)) throws -> String
{
    let result = try Program.run(name, words, within: limit)
    guard result.exit == .code(0) else { throw Failed(words: [name] + words, result: result) }
    return result.standardOutput
}

/// A program that failed.
struct Failed: Error, CustomStringConvertible {
    let words: [String]
    let result: Program.Result

    var description: String {
        "\(words.joined(separator: " ")): \(result.exit)\n\(result.standardError)"
            + "\(result.standardOutput)"
    }
}
