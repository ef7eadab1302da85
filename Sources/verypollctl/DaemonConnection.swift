internal import Console
internal import FoundationEssentials
internal import SystemPackage
internal import Varlink
internal import Verypoll
internal import VerypollControl

/// A connection to the daemon's control socket.
///
/// Every wait for an answer is bounded.
struct DaemonConnection: ~Copyable {
    private static let readLimit = 64 << 10

    /// The path of the socket.
    let path: String

    private let timeout: Duration
    private var poll: Poll
    private var events = Events(capacity: 4)
    private var connection = ClientConnection()
    private let stream: UnixStream

    /// Connects to the daemon.
    ///
    /// - Parameters:
    ///   - path: The path of the socket.
    ///   - timeout: The time to wait for the connection, and for each answer.
    /// - Throws: A failure with text for the user, usually with the status `unreachable`.
    init(path: String, timeout: Duration) throws(Failure) {
        do throws(Errno) {
            var poll = try Poll()
            let deadline = ContinuousClock.now + timeout
            let stream = try Self.connect(to: FilePath(path), poll: &poll, until: deadline)
            try poll.registry.register(stream, token: Token(0), interest: [.readable, .writable])
            self.poll = poll
            self.stream = stream
        } catch {
            throw Self.failure(error, path: path)
        }
        self.path = path
        self.timeout = timeout
    }

    /// Returns the first of these sockets that exists: the socket of the system's daemon, the
    /// socket that systemd opens for it (see `verypolld-varlink.socket`), and the socket of the
    /// user's own daemon.
    static func defaultPath(
        environment: [String: String] = ProcessInfo.processInfo.environment,
        exists: (String) -> Bool = { FileManager.default.fileExists(atPath: $0) }
    ) -> String {
        var paths = ["/run/verypolld/control.sock", "/run/verypolld.sock"]
        if let folder = environment["XDG_RUNTIME_DIR"], !folder.isEmpty {
            paths.append("\(folder)/verypolld/control.sock")
        }
        return paths.first(where: exists) ?? paths[0]
    }

    /// Calls a method and waits for its answer.
    ///
    /// - Parameters:
    ///   - method: The interface and the method.
    ///   - parameters: The method's parameters.
    ///   - type: The type of the answer.
    /// - Returns: The answer.
    /// - Throws: A failure with text for the user.
    mutating func call<Answer: Decodable>(
        _ method: String,
        parameters: some Encodable = NoParameters(),
        as type: Answer.Type
    ) throws(Failure) -> Answer {
        do {
            try connection.call(method, parameters: parameters)
            return try reply(until: .now + timeout).parameters(as: type)
        } catch {
            throw failure(error)
        }
    }

    /// Calls a method that may take long, and waits for its answer as long as the daemon works.
    ///
    /// Whenever the answer does not arrive in time, the method checks over another connection
    /// whether the daemon still works, and tells the user what the answer waits for.
    ///
    /// - Parameters:
    ///   - method: The interface and the method.
    ///   - parameters: The method's parameters.
    ///   - type: The type of the answer.
    /// - Returns: The answer.
    /// - Throws: A failure with text for the user.
    mutating func patientCall<Answer: Decodable>(
        _ method: String,
        parameters: some Encodable = NoParameters(),
        as type: Answer.Type
    ) throws(Failure) -> Answer {
        do {
            try connection.call(method, parameters: parameters)
            while true {
                do {
                    return try reply(until: .now + timeout).parameters(as: type)
                } catch let error as Errno where error == .timedOut {
                    try explainWait()
                }
            }
        } catch {
            throw failure(error)
        }
    }

    private func explainWait() throws(Failure) {
        do throws(Failure) {
            var other = try DaemonConnection(path: path, timeout: timeout)
            let status = try other.call(
                DaemonInterface.Method.getStatus.rawValue,
                as: Status.self
            )
            let note = status.note.map { ": " + $0 } ?? ""
            writeError("verypollctl: still waiting for verypolld\(note)")
        } catch {
            throw Failure(
                status: error.status,
                message: "\(error.message); the call may still take effect"
            )
        }
    }

    /// Calls a method with many answers, and waits for the answers until the last one.
    ///
    /// - Parameters:
    ///   - method: The interface and the method.
    ///   - type: The type of each answer.
    ///   - body: Receives each answer.
    /// - Throws: A failure with text for the user, or the error of `body`.
    mutating func follow<Answer: Decodable>(
        _ method: String,
        as type: Answer.Type,
        _ body: (Answer) throws(Failure) -> Void
    ) throws(Failure) {
        var deadline: ContinuousClock.Instant? = .now + timeout
        do {
            try connection.call(method, mode: .more)
            while true {
                let reply = try reply(until: deadline)
                try body(try reply.parameters(as: type))
                guard reply.continues else { return }
                // The next event may be days away.
                deadline = nil
            }
        } catch {
            throw failure(error)
        }
    }

    /// Waits for some time.
    mutating func pause(for time: Duration) throws(Failure) {
        do throws(Errno) {
            // While no call is in progress, the only event is the end of the connection, reported
            // once.
            let end = ContinuousClock.now + time
            while ContinuousClock.now < end { try poll.poll(&events, until: end) }
        } catch {
            throw Self.failure(error, path: path)
        }
    }

    private func failure(_ error: any Error) -> Failure {
        switch error {
        case let error as Failure: error
        case let error as VarlinkError: Failure(error)
        case let error as Errno: Self.failure(error, path: path)
        default:
            Failure(
                status: .failed,
                message: "the service at \(path) does not answer like verypolld"
            )
        }
    }

    private mutating func reply(until deadline: ContinuousClock.Instant?) throws -> Reply {
        while true {
            while try connection.send({ bytes throws(Errno) in try stream.write(bytes) }) {}
            let count = try connection.receive(upTo: Self.readLimit) { output throws(Errno) in
                try stream.read(into: &output)
            }
            if let reply = try connection.nextReply() { return reply }
            switch count {
            case 0: throw Errno.connectionReset
            case nil:
                guard let deadline else {
                    try poll.poll(&events)
                    continue
                }
                try poll.poll(&events, until: deadline)
                if events.isEmpty { throw Errno.timedOut }
            default: break
            }
        }
    }

    private static func connect(
        to path: FilePath,
        poll: inout Poll,
        until deadline: ContinuousClock.Instant
    ) throws(Errno) -> UnixStream {
        var events = Events(capacity: 1)
        while true {
            do throws(Errno) {
                return try UnixStream(connectingTo: .path(path))
            } catch .resourceTemporarilyUnavailable {
                // The backlog is full, and no event reports when it has room again.
                let next = ContinuousClock.now + .milliseconds(20)
                guard next < deadline else { throw .timedOut }
                try poll.poll(&events, until: next)
            }
        }
    }

    private static func failure(_ error: Errno, path: String) -> Failure {
        let reason =
            switch error {
            case .noSuchFileOrDirectory: "no such socket"
            case .connectionRefused: "connection refused"
            case .permissionDenied: "permission denied"
            case .timedOut: "no answer in time"
            case .connectionReset, .brokenPipe: "the connection was closed"
            default: "\(error)"
            }
        let hint =
            switch error {
            case .noSuchFileOrDirectory, .connectionRefused:
                " (is it running? try: systemctl status verypolld)"
            case .permissionDenied:
                " (are you a member of the socket's group?)"
            default: ""
            }
        return Failure(
            status: error == .permissionDenied ? .refused : .unreachable,
            message: "cannot reach verypolld at \(path): \(reason)\(hint)"
        )
    }
}
