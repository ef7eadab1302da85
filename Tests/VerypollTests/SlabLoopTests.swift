#if OSPoll && Net
import SystemPackage
import TestSupport
import Testing
import Verypoll

// The loops of this file must compile. While the subscript of `Slab` was a coroutine, Swift 6.3.1
// never finished compiling `turn` in a debug build, and rejected the span in `flush`.
@Suite("Slab: loops of servers")
struct SlabLoopTests {
    @Test("a loop that accepts, stores, registers and catches compiles, and serves clients")
    func serves() throws {
        let listener = try TCPListener(binding: .loopback(port: 0))
        var poll = try Poll()
        try poll.registry.register(listener, token: Token(-1), interest: .readable)
        var clients = Slab<TCPStream>(capacity: 2)
        for _ in 0..<2 {
            _ = clients.insert(try TCPStream(connectingTo: listener.localAddress()))
        }
        var connections = Slab<Connection>(capacity: 1)
        var answers = 0
        try eventually("the accepted client to be greeted, and the other to be dropped") {
            try turn(&connections, &poll, listener)
            for index in 0..<2 {
                var byte: [UInt8] = [0]
                guard let key = clients.key(at: index) else { continue }
                guard let count = try clients[key].read(into: byte.mutableSpan) else { continue }
                answers += count
                clients.remove(key)
            }
            return clients.count == 0
        }
        #expect(answers == 1)
        #expect(connections.count == 1)
    }
}

/// A client with bytes to send.
private struct Connection: ~Copyable {
    let stream: TCPStream
    var unsent: [UInt8] = [7]

    init(_ stream: consuming TCPStream) {
        self.stream = stream
    }
}

private func turn(
    _ connections: inout Slab<Connection>,
    _ poll: inout Poll,
    _ listener: borrowing TCPListener
) throws {
    var events = Events(capacity: 8)
    while true {
        try poll.poll(&events, timeout: .milliseconds(1))
        for event in events {
            if event.token == Token(-1) {
                for _ in 0..<64 {
                    do throws(Errno) {
                        guard let accepted = try listener.accept() else { return }
                        guard
                            case .stored(let key) = connections.insert(
                                Connection(accepted.stream)
                            )
                        else { continue }
                        try poll.registry.register(
                            connections[key].stream,
                            token: key.token,
                            interest: .writable
                        )
                    } catch {
                        switch AcceptFailure(error) {
                        case .connection: break
                        case .resources: return
                        case .listener: throw error
                        }
                    }
                }
            } else if let key = SlabKey(event.token) {
                do { try flush(key, of: &connections) } catch { connections.remove(key) }
            }
        }
        if events.isEmpty { return }
    }
}

private func flush(_ key: SlabKey, of connections: inout Slab<Connection>) throws {
    while !connections[key].unsent.isEmpty {
        let sent = try connections[key].stream.write(connections[key].unsent.span)
        guard let sent else { return }
        connections[key].unsent.removeFirst(sent)
    }
}
#endif
