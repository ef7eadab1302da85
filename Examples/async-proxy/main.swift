// Forwards TCP connections to another address with async/await, with half-closes.
//
// Usage: async-proxy LISTEN TARGET...     (for example: async-proxy 127.0.0.1:8080 127.0.0.1:80)
//
// Several targets are addresses of one server, such as its IPv6 and IPv4 addresses; each session
// uses the one that answers first. A session has two tasks, one for each direction, which end
// independently. So a client that shuts down its side after the request still gets the whole
// response. Each direction buffers at most one read, and reads again only after it was written, so
// memory is bounded and a slow reader slows down its writer.
import SystemPackage
import Verypoll
import VerypollAsync

/// One direction of a session: the half that it reads, and the half of the other connection that it
/// writes.
struct Channel: ~Copyable, Sendable {
    let source: AsyncStreamReader
    let sink: AsyncStreamWriter

    init(from source: consuming AsyncStreamReader, to sink: consuming AsyncStreamWriter) {
        self.source = source
        self.sink = sink
    }

    /// Copies bytes until end of file, and then passes the end of file on.
    ///
    /// The channel is consumed: the end of a writing half's scope shuts down its direction.
    consuming func copy() async throws(Errno) {
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = try await source.read(into: buffer.mutableSpan)
            if count == 0 { return }
            try await sink.writeAll(buffer.span.extracting(first: count))
        }
    }
}

/// Connects to the server and forwards bytes in both directions, until both have ended or one has
/// failed.
func forward(
    _ client: consuming AsyncTCPStream,
    toAnyOf targets: [SocketAddress],
    on executor: PollExecutor
) async throws {
    let server = try await AsyncTCPStream.connect(
        toAnyOf: targets,
        on: executor,
        until: .now + .seconds(10)
    )
    // Without any traffic, only probes detect a peer that has vanished.
    try client.socket.setKeepAlive(.seconds(60))
    try server.socket.setKeepAlive(.seconds(60))
    let clientHalves = client.split()
    let serverHalves = server.split()
    // Optional, because closures cannot consume noncopyable values that they capture. They can take
    // them out of a variable: the group's closure first, then the closure of each task.
    var request: Channel? = Channel(from: clientHalves.reader, to: serverHalves.writer)
    var response: Channel? = Channel(from: serverHalves.reader, to: clientHalves.writer)
    // If one direction fails, the group cancels the other.
    try await withThrowingDiscardingTaskGroup { group in
        var request = request.take()
        var response = response.take()
        group.addTask { try await request.take()?.copy() }
        group.addTask { try await response.take()?.copy() }
    }
}

/// Prints a line without buffering.
func say(_ line: String) {
    _ = try? FileDescriptor.standardOutput.writeAll((line + "\n").utf8)
}

let addresses = CommandLine.arguments.dropFirst().compactMap { SocketAddress($0) }
guard addresses.count >= 2, addresses.count == CommandLine.arguments.count - 1 else {
    fatalError("usage: async-proxy LISTEN TARGET..., such as 127.0.0.1:8080 127.0.0.1:80")
}
let targets = Array(addresses.dropFirst())

try PollExecutor.run { executor in
    let listener = try AsyncTCPListener(binding: addresses[0], on: executor)
    say("listening on \(try listener.socket.localAddress())")
    // Each session uses 2 of the usual 1024 descriptors.
    try await listener.serveOwned(limit: 400) { client in
        do {
            try await forward(client, toAnyOf: targets, on: executor)
        } catch {
            say("session closed: \(error)")
        }
    }
}
