// Forwards TCP connections to another address, with half-closes.
//
// Usage: proxy LISTEN TARGET     (for example: proxy 127.0.0.1:8080 127.0.0.1:80)
//
// Each direction of a session ends independently, at end of file or on an error. So a client that
// shuts down its side after the request still gets the whole response. Each direction buffers at
// most one read, and reads again only after it was written, so memory is bounded and a slow reader
// slows down its writer. Both sockets have the session's token: an event of either one tries both
// directions.
#if OSPoll && Net
import SystemPackage
import Verypoll

/// One direction of a session, with the bytes that were read and not written yet.
struct Way {
    var bytes: [UInt8] = []
    var ended = false

    /// Moves bytes until there is nothing to read or no room to write.
    ///
    /// An edge reports a change.
    ///
    /// - Returns: Whether it stopped earlier, to give other sessions a turn.
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

    /// Moves bytes in both directions; returns whether to call it again without an event.
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
var sessions = Slab<Session>(capacity: 400)  // Each uses 2 of the usual 1024 descriptors.
var ready = ReadyQueue(capacity: 400)
let listener = try TCPListener(binding: addresses[0])
try poll.registry.register(listener, token: Token(-1), interest: .readable)
try FileDescriptor.standardOutput.writeAll("listening on \(listener.localAddress())\n".utf8)

while true {
    // Wait at most a second, because a failed accept is retried.
    try poll.poll(&events, timeout: ready.isEmpty ? .seconds(1) : .zero)
    for event in events { if let key = SlabKey(event.token) { ready.append(key) } }
    for _ in 0..<ready.count {
        guard let key = ready.popFirst(), sessions.contains(key) else { continue }
        let hasMore = try? sessions[key].proceed()
        if hasMore == true { ready.append(key) }
        let isOver = sessions[key].request.ended && sessions[key].answer.ended
        if hasMore == nil || isOver { _ = sessions.remove(key) }
    }
    // Accept at each turn: no edge reports connections that did not fit before.
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
