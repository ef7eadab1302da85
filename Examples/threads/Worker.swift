#if OSPoll && OSExt && Net
import SystemPackage
import Verypoll

/// One thread's poll and its clients.
struct Worker: ~Copyable {
    static let waking = Token(-1)  // Tokens of keys are never negative.
    private static let listening = Token(-2)

    var poll: Poll
    private var clients: Slab<TCPStream>
    /// When to accept again, or `nil` while the listener is registered.
    private var acceptsAgainAt: ContinuousClock.Instant?

    init(_ listener: borrowing TCPListener, capacity: Int) throws {
        let poll = try Poll()
        try Self.watch(listener, with: poll.registry)
        self.poll = poll
        clients = Slab(capacity: capacity)
    }

    private static func watch(
        _ listener: borrowing TCPListener,
        with registry: borrowing Registry
    ) throws {
        // Exclusive: a new client wakes one or a few threads rather than all.
        try registry.register(listener, token: listening, interest: .readable, mode: .exclusive)
    }

    mutating func run(_ listener: borrowing TCPListener, until control: Control) throws {
        var events = Events(capacity: 256)
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while !control.isStopping {
            try poll.poll(&events, until: acceptsAgainAt)
            for event in events {
                if event.token == Self.listening {
                    try accept(from: listener)
                } else if let key = SlabKey(event.token), clients.contains(key) {
                    if !serve(key, &buffer) {
                        clients.remove(key)
                        acceptsAgainAt = acceptsAgainAt.map { _ in .now }
                    }
                }
            }
            if let time = acceptsAgainAt, time <= .now {
                try Self.watch(listener, with: poll.registry)
                acceptsAgainAt = nil
            }
        }
    }

    /// Accepts one client: the next poll of an idle thread reports the others.
    private mutating func accept(from listener: borrowing TCPListener) throws {
        do throws(Errno) {
            guard let accepted = try listener.accept() else { return }
            guard case .stored(let key) = clients.insert(accepted.stream) else { return }
            try poll.registry.register(
                clients[key],
                token: key.token,
                interest: .readable,
                mode: .level
            )
        } catch {
            switch AcceptFailure(error) {
            case .connection: break  // Only this client is gone.
            case .resources:
                // The client stays in the backlog, and every poll would report it.
                try poll.registry.deregister(listener)
                acceptsAgainAt = .now + .milliseconds(100)
            case .listener: throw error
            }
        }
    }

    /// Echoes once, and returns whether the client stays.
    private func serve(_ key: SlabKey, _ buffer: inout [UInt8]) -> Bool {
        do throws(Errno) {
            guard let count = try clients[key].read(into: buffer.mutableSpan) else { return true }
            if count == 0 { return false }
            // A client that does not read its echo is dropped. `Examples/echo` waits for it.
            return try clients[key].write(buffer.span.extracting(first: count)) == count
        } catch {
            return false
        }
    }
}
#endif
