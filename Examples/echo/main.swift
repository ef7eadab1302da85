// Echoes the bytes of many clients at a time, fairly and with little memory.
//
// Usage: echo [ADDRESS]     (default 127.0.0.1:7007)
//
// This is the simplest form of each part that a server for many connections needs: a slab that
// finds a connection by its token, one buffer for all connections, a budget for each turn, a queue
// of connections whose turn ended before they were drained, and back-pressure: it stops reading
// from a client that does not read its echo.
#if OSPoll && Net
import SystemPackage
import Verypoll

/// A client, and the bytes that were read from it and not sent back yet.
struct Connection: ~Copyable {
    let stream: TCPStream
    private var unsent: [UInt8] = []

    /// The reason why a turn ended.
    enum Outcome {
        /// There is nothing to read, or no room to write. An edge will report a change.
        case drained
        /// The budget was spent. The client may still be ready, and no edge will report it.
        case interrupted
        /// The client ended its input, and all of it was sent back.
        case ended
    }

    init(_ stream: consuming TCPStream) {
        self.stream = stream
    }

    /// Echoes bytes for one turn.
    ///
    /// - Parameter buffer: A buffer for reading. Its contents are not used between calls.
    /// - Returns: The reason why the turn ended.
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
        // Set the noncopyable fields last: nothing may throw after the first is set.
        self.listener = listener
        self.poll = poll
        connections = Slab(capacity: capacity)
        ready = ReadyQueue(capacity: capacity)
    }

    /// Watches in level mode: the next poll reports connections that one turn leaves in the
    /// backlog.
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
            // With queued connections, the poll does not wait: it only collects new events.
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

    /// Leaves new clients in the backlog for a while, because every poll would report them.
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
            case .ended: connections.remove(key)
            }
        } catch {
            connections.remove(key)  // An error ends its connection, not the server.
        }
    }
}

/// Prints a line without buffering.
func say(_ line: String) throws {
    try FileDescriptor.standardOutput.writeAll((line + "\n").utf8)
}

let text = CommandLine.arguments.dropFirst().first ?? "127.0.0.1:7007"
guard let address = SocketAddress(text) else {
    fatalError("\(text) is not a valid address; expected one such as 127.0.0.1:7007 or [::1]:7007")
}
var server = try EchoServer(binding: address, capacity: 10_000)
try say("listening on \(try server.localAddress())")
try server.run()
#else
print("echo needs the traits OSPoll and Net")
#endif
