// Echoes what clients send, many at a time, with little memory and no client at another's expense.
//
// Usage: echo [ADDRESS]     (default 127.0.0.1:7007)
//
// What a server of many connections needs, each in its simplest form: a slab that finds a
// connection by its token, one buffer for all, a budget for each turn, a queue of those whose turn
// was over too early, and a way to stop reading from a client who does not take its answers.
#if OSPoll && Net
import SystemPackage
import Verypoll

/// A client, and what was read from it and could not be sent back yet.
struct Connection: ~Copyable {
    let stream: TCPStream
    private var unsent: [UInt8] = []

    /// How a turn of echoing ended.
    enum Outcome {
        /// The client has sent no more or takes no more: an edge will tell when that is over.
        case drained
        /// The turn was over: the client may be ready still, and no edge tells.
        case interrupted
        /// The client has ended, and got back all that it had sent.
        case ended
    }

    init(_ stream: consuming TCPStream) {
        self.stream = stream
    }

    /// Echoes for one turn.
    ///
    /// - Parameter buffer: Where to read; what it holds means nothing between the calls.
    /// - Returns: Why it stopped.
    /// - Throws: See recv(2) and send(2).
    mutating func echo(_ buffer: inout [UInt8]) throws -> Outcome {
        var budget = Budget(calls: 16)
        while !budget.isSpent {
            budget.spend()
            if unsent.isEmpty {
                guard let received = try stream.read(into: buffer.mutableSpan) else {
                    return .drained
                }
                if received == 0 { return .ended }
                let sent = try stream.write(buffer.span.extracting(first: received)) ?? 0
                if sent < received { unsent = Array(buffer[sent..<received]) }
            } else {
                guard let sent = try stream.write(unsent.span) else { return .drained }
                unsent.removeFirst(sent)
            }
        }
        return .interrupted
    }
}

struct EchoServer: ~Copyable {
    private static let listening = Token(-1)  // Tokens of keys are never negative.

    private var poll: Poll
    private let listener: TCPListener
    private var isAccepting = true
    private var connections: Slab<Connection>
    private var ready: ReadyQueue
    private var buffer = [UInt8](repeating: 0, count: 65_536)

    init(binding address: SocketAddress, capacity: Int) throws {
        let listener = try TCPListener(binding: address)
        let poll = try Poll()
        try Self.watch(listener, with: poll.registry)
        // Noncopyable fields come last, when nothing can throw any more.
        self.listener = listener
        self.poll = poll
        connections = Slab(capacity: capacity)
        ready = ReadyQueue(capacity: capacity)
    }

    /// Watches by level: what one turn leaves in the backlog, the next poll reports again.
    private static func watch(
        _ listener: borrowing TCPListener,
        with registry: borrowing Registry
    ) throws {
        try registry.register(listener, token: listening, interest: .readable, mode: .level)
    }

    func localAddress() throws -> SocketAddress { try listener.localAddress() }

    mutating func run() throws {
        var events = Events(capacity: 256)
        while true {
            // Those who were interrupted go on, but new events come first.
            let pause: Duration? = isAccepting ? nil : .milliseconds(100)
            try poll.poll(&events, timeout: ready.isEmpty ? pause : .zero)
            if !isAccepting { try resumeAccepting() }
            for event in events {
                if let key = SlabKey(event.token) { ready.append(key) } else { try accept() }
            }
            for _ in 0..<ready.count {
                guard let key = ready.popFirst(), connections.contains(key) else { continue }
                serve(key)
            }
        }
    }

    /// Leaves new clients in the backlog for a while, as their level would be reported without end.
    private mutating func pauseAccepting() throws {
        try poll.registry.deregister(listener)
        isAccepting = false
    }

    private mutating func resumeAccepting() throws {
        try Self.watch(listener, with: poll.registry)
        isAccepting = true
    }

    private mutating func accept() throws {
        for _ in 0..<64 {
            guard connections.count < connections.capacity else { return try pauseAccepting() }
            do throws(Errno) {
                guard let accepted = try listener.accept() else { return }
                try add(accepted.stream)
            } catch {
                switch AcceptFailure(error) {
                case .connection: continue
                case .resources: return try pauseAccepting()
                case .listener: throw error
                }
            }
        }
    }

    private mutating func add(_ stream: consuming TCPStream) throws(Errno) {
        let connection = Connection(stream)
        guard case .stored(let key) = connections.insert(connection) else { return }
        try poll.registry.register(
            connections[key].stream,
            token: key.token,
            interest: [.readable, .writable]
        )
    }

    private mutating func serve(_ key: SlabKey) {
        do {
            switch try connections[key].echo(&buffer) {
            case .drained: break
            case .interrupted: ready.append(key)
            case .ended: _ = connections.remove(key)
            }
        } catch {
            _ = connections.remove(key)  // Its error ends a connection, not the server.
        }
    }
}

/// Prints a line at once, whether to a terminal or to a pipe.
func say(_ line: String) throws {
    try FileDescriptor.standardOutput.writeAll((line + "\n").utf8)
}

let text = CommandLine.arguments.dropFirst().first ?? "127.0.0.1:7007"
guard let address = SocketAddress(text) else {
    fatalError("\(text) is no address; give one as 127.0.0.1:7007 or [::1]:7007")
}
var server = try EchoServer(binding: address, capacity: 10_000)
try say("listening on \(try server.localAddress())")
try server.run()
#else
print("echo needs the traits OSPoll and Net")
#endif
