internal import SystemPackage
internal import Varlink
internal import Verypoll

/// One connection to the control socket.
final class ControlClient {
    /// The most bytes that are read in one turn.
    private static let readLimit = 64 << 10

    /// Never used twice.
    let id: Int
    let permission: Permission
    var connection: ServerConnection
    /// When a byte last came from the client.
    var lastActivity: ContinuousClock.Instant

    /// The number of the call that is to be answered without the values that come for it.
    var callWithoutValues: Int?

    /// Whether the call in progress is answered with all that happens.
    var isMonitor = false
    /// Whether the client sends no more.
    private(set) var inputHasEnded = false

    private let stream: UnixStream
    private let token: Token
    private var interest: Interest = []

    init(
        id: Int,
        stream: consuming UnixStream,
        token: Token,
        permission: Permission,
        oversizeError: VarlinkError? = nil,
        now: ContinuousClock.Instant
    ) {
        connection = ServerConnection(oversizeError: oversizeError)
        self.id = id
        self.token = token
        self.permission = permission
        lastActivity = now
        self.stream = stream
    }

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
    /// A monitor that sends no more has gone as a rule, and nothing else would tell of that.
    var isFinished: Bool { connection.isFinished || (isMonitor && inputHasEnded) }

    /// Whether the kernel takes no more for now.
    var awaitsRoom: Bool { interest.contains(.writable) }

    /// Writes until nothing is left or the kernel takes no more.
    func send() throws(Errno) {
        while try connection.send({ bytes throws(Errno) in try stream.write(bytes) }) {}
    }

    /// Watches the socket for what the connection can go on with, and only for that, as the watch
    /// is level-triggered.
    ///
    /// - Parameters:
    ///   - registry: The one that watches it.
    ///   - isPaused: Whether it is not to be watched at all for now.
    /// - Throws: See epoll_ctl(2).
    func watch(with registry: borrowing Registry, isPaused: Bool = false) throws(Errno) {
        var wanted: Interest = []
        if connection.wantsInput, !isPaused { wanted.insert(.readable) }
        if connection.hasOutput, !isPaused { wanted.insert(.writable) }
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
