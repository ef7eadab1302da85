internal import SystemPackage
internal import Varlink
internal import Verypoll
internal import VerypollControl

/// A client of the control socket.
final class ControlClient {
    /// The most batches of events that are held back for a client.
    static let heldEventLimit = 1_000

    /// The most bytes that are read in one turn.
    private static let readLimit = 64 << 10

    /// The ID of the client, which is never reused.
    let id: Int
    let permission: Permission
    private let credentials: PeerCredentials
    var connection: ServerConnection
    /// The time at which the last byte was received from the client.
    var lastActivity: ContinuousClock.Instant

    /// The number of the call whose interface declares no result, so that the values are omitted.
    var callWithoutValues: Int?

    /// Whether the client monitors the daemon: its call is answered with every event.
    var isMonitor = false
    /// The events to send after the status; `nil` unless another thread is encoding the status.
    var heldEvents: [SharedReply]?
    /// Whether the client has ended its input to the daemon.
    private(set) var inputHasEnded = false

    private let stream: UnixStream
    private let token: Token
    private var interest: Interest = []

    init(
        id: Int,
        stream: consuming UnixStream,
        token: Token,
        credentials: PeerCredentials,
        permission: Permission,
        oversizeError: VarlinkError? = nil,
        now: ContinuousClock.Instant
    ) {
        connection = ServerConnection(oversizeError: oversizeError)
        self.id = id
        self.token = token
        self.credentials = credentials
        self.permission = permission
        lastActivity = now
        self.stream = stream
    }

    /// The process at the other end, with the command name that it has now.
    var caller: Caller { Caller(credentials) }

    /// Reads once, if the connection wants input.
    func receive(now: ContinuousClock.Instant) throws(Errno) {
        guard connection.wantsInput else { return }
        let count = try connection.receive(upTo: Self.readLimit) { output throws(Errno) in
            try stream.read(into: &output)
        }
        switch count {
        case nil: break
        case 0:
            connection.endInput()
            inputHasEnded = true
        default: lastActivity = now
        }
    }

    /// Whether nothing remains to be done for the client.
    ///
    /// A monitor that ends its input has usually exited, and nothing else would report the exit.
    var isFinished: Bool { connection.isFinished || (isMonitor && inputHasEnded) }

    /// Whether the socket's send buffer is full.
    var awaitsRoom: Bool { interest.contains(.writable) }

    /// Writes until no output is left or the send buffer is full.
    func send() throws(Errno) {
        while try connection.send({ bytes throws(Errno) in try stream.write(bytes) }) {}
    }

    /// Watches the socket only for the events that the connection can handle now, because the watch
    /// is level-triggered.
    ///
    /// - Parameters:
    ///   - isWanted: Whether to watch the socket at all.
    ///   - registry: The registry that watches the socket.
    ///   - isPaused: Whether to read no more calls for now. Output is still sent, because an answer
    ///     that is encoded already costs little more.
    /// - Throws: See epoll_ctl(2).
    func watch(
        _ isWanted: Bool,
        with registry: borrowing Registry,
        isPaused: Bool = false
    ) throws(Errno) {
        var wanted: Interest = []
        if isWanted, connection.wantsInput, !isPaused { wanted.insert(.readable) }
        if isWanted, connection.hasOutput { wanted.insert(.writable) }
        guard wanted != interest else { return }
        if wanted.isEmpty {
            try registry.deregister(stream)
        } else if interest.isEmpty {
            try registry.register(stream, token: token, interest: wanted, mode: .level)
        } else {
            try registry.reregister(stream, token: token, interest: wanted, mode: .level)
        }
        interest = wanted
    }
}
