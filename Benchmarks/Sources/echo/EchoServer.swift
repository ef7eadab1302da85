import SystemPackage
import Verypoll

struct EchoServer: ~Copyable {
    private var poll: Poll
    private let listener: TCPListener
    private var connections = Slab<Connection>(capacity: 65536)
    private var scratch = [UInt8](repeating: 0, count: 16384)

    /// The listener's token; keys of the slab are never negative.
    private let listening = Token(-1)

    init(port: UInt16) throws(Errno) {
        let poll = try Poll()
        let listener = try TCPListener(binding: .loopback(port: port))
        // Accepted connections inherit the option.
        try listener.setNoDelay(true)
        try poll.registry.register(listener, token: listening, interest: .readable)
        self.poll = poll
        self.listener = listener
    }

    mutating func run() throws(Errno) -> Never {
        var events = Events(capacity: 1024)
        while true {
            try poll.poll(&events)
            for event in events {
                if let key = SlabKey(event.token) {
                    serve(key, event)
                } else {
                    try acceptAll()
                }
            }
        }
    }

    private mutating func serve(_ key: SlabKey, _ event: Event) {
        guard connections.contains(key) else { return }
        do throws(Errno) {
            if try connections[key].serve(event, scratch: &scratch) { return }
        } catch {
            // The connection is broken, so it is removed below.
        }
        _ = connections.remove(key)
    }

    private mutating func acceptAll() throws(Errno) {
        while true {
            do throws(Errno) {
                guard let accepted = try listener.accept() else { return }
                try admit(accepted.stream)
            } catch let error where AcceptFailure(error) == .connection {
                continue
            }
        }
    }

    /// Stores a connection, or closes it if there are too many.
    private mutating func admit(_ stream: consuming TCPStream) throws(Errno) {
        guard case .stored(let key) = connections.insert(Connection(stream: stream)) else { return }
        try poll.registry.register(
            connections[key].stream,
            token: key.token,
            interest: [.readable, .writable]
        )
    }
}
