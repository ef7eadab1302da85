// Passes TCP connections on to another address, the end of each way as well as its bytes.
//
// Usage: proxy LISTEN TARGET     (as in: proxy 127.0.0.1:8080 127.0.0.1:80)
//
// A client that ends its side after the request still gets the whole answer, and so on: each way
// of a session ends by itself, with an end of file or an error. Each holds one read at most, and
// reads on when that was written: so memory is bounded, and a slow reader slows its writer. Both
// sockets have the session's token: whatever becomes ready, both ways are tried.
//
// Fifty lines of code, but for imports, arguments and greeting, and lines with only a brace.
#if OSPoll && Net
import SystemPackage
import Verypoll

/// One way of a session: what was read and is still to be written.
struct Way {
    var bytes: [UInt8] = []
    var ended = false

    /// Moves bytes until none come or none are taken; an edge will tell when that is over.
    ///
    /// - Returns: Whether it stopped before, for the others to have their turn.
    mutating func move(from: borrowing TCPStream, to: borrowing TCPStream) -> Bool {
        for _ in 0..<16 where !ended {
            do {
                if bytes.isEmpty {
                    try bytes.append(addingCapacity: 8192) { ended = try from.read(into: &$0) == 0 }
                    if bytes.isEmpty, !ended { return false }
                } else {
                    guard let count = try to.write(bytes.span) else { return false }
                    bytes.removeFirst(count)
                }
            } catch { ended = true }
            if ended { try? to.shutdown(.write) }
        }
        return !ended
    }
}

struct Session: ~Copyable {
    let client: TCPStream
    let server: TCPStream
    var isConnected = false
    var request = Way()
    var answer = Way()

    /// Moves bytes both ways; returns whether it is to be called again without an event.
    mutating func proceed() throws -> Bool {
        if !isConnected { isConnected = try server.finishConnect() == .connected }
        guard isConnected else { return false }
        let hasMore = answer.move(from: server, to: client)
        return request.move(from: client, to: server) || hasMore
    }
}

let addresses = CommandLine.arguments.dropFirst().compactMap { SocketAddress($0) }
guard addresses.count == 2 else { fatalError("usage: proxy 127.0.0.1:8080 127.0.0.1:80") }
var poll = try Poll()
var events = Events(capacity: 256)
var sessions = Slab<Session>(capacity: 400)  // Two of the usual 1024 descriptors each.
var ready = ReadyQueue(capacity: 400)
let listener = try TCPListener(binding: addresses[0])
try poll.registry.register(listener, token: Token(-1), interest: .readable)
try FileDescriptor.standardOutput.writeAll("listening on \(listener.localAddress())\n".utf8)

while true {
    // A second at most, because an accept that failed is tried again.
    try poll.poll(&events, timeout: ready.isEmpty ? .seconds(1) : .zero)
    for event in events { if let key = SlabKey(event.token) { ready.append(key) } }
    for _ in 0..<ready.count {
        guard let key = ready.popFirst(), sessions.contains(key) else { continue }
        let hasMore = try? sessions[key].proceed()
        if hasMore == true { ready.append(key) }
        let isOver = sessions[key].request.ended && sessions[key].answer.ended
        if hasMore == nil || isOver { _ = sessions.remove(key) }
    }
    // At each turn, as those for whom there was no place before are reported by no edge.
    do throws(Errno) {
        while sessions.count < sessions.capacity, let accepted = try listener.accept() {
            guard let server = try? TCPStream(connectingTo: addresses[1]) else { continue }
            let session = Session(client: accepted.stream, server: server)
            guard case .stored(let key) = sessions.insert(session) else { continue }
            let both: Interest = [.readable, .writable]
            try poll.registry.register(sessions[key].client, token: key.token, interest: both)
            try poll.registry.register(sessions[key].server, token: key.token, interest: both)
        }
    } catch { if AcceptFailure(error) == .listener { throw error } }
}
#else
print("proxy needs the traits OSPoll and Net")
#endif
