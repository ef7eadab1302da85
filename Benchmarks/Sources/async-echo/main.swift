// Echo with async/await: a task for each connection, in one cancellation scope, on one executor.
//
// Usage: async-echo PORT [deadline|lean|threads COUNT]
//
// With "deadline", each read has a deadline. With "lean", connections have no buffer of their own
// while they wait. With "threads", the main thread accepts, and COUNT executors serve.
import SystemPackage
import Verypoll
import VerypollAsync

func echo(_ stream: borrowing AsyncTCPStream) async throws(Errno) {
    var buffer = [UInt8](repeating: 0, count: 16384)
    while true {
        let count = try await stream.read(into: buffer.mutableSpan)
        guard count > 0 else { return }
        try await stream.writeAll(buffer.span.extracting(first: count))
    }
}

func echoInTime(_ stream: borrowing AsyncTCPStream) async throws(Errno) {
    var buffer = [UInt8](repeating: 0, count: 16384)
    while true {
        let deadline = Deadline.now + .seconds(60)
        let count = try await stream.read(into: buffer.mutableSpan, until: deadline)
        guard count > 0 else { return }
        try await stream.writeAll(buffer.span.extracting(first: count), until: deadline)
    }
}

func echoWithoutBuffer(_ stream: borrowing AsyncTCPStream) async throws(Errno) {
    while true {
        var unsent: [UInt8] = []
        let count = try await stream.withBytes { bytes throws(Errno) in
            let sent = try bytes.isEmpty ? 0 : stream.socket.write(bytes) ?? 0
            if sent < bytes.count {
                for index in sent..<bytes.count { unsent.append(bytes[index]) }
            }
            return bytes.count
        }
        guard count > 0 else { return }
        if !unsent.isEmpty { try await stream.writeAll(unsent.span) }
    }
}

@Sendable func serve(_ stream: borrowing AsyncTCPStream) async {
    do throws(Errno) {
        switch mode {
        case "deadline": try await echoInTime(stream)
        case "lean": try await echoWithoutBuffer(stream)
        default: try await echo(stream)
        }
    } catch {
        // The client has gone.
    }
}

let usage = "usage: async-echo PORT [deadline|lean|threads COUNT]"
let arguments = CommandLine.arguments.dropFirst()
guard let port = arguments.first.flatMap(UInt16.init) else { fatalError(usage) }
let mode = arguments.dropFirst().first
let threads = arguments.dropFirst(2).first.flatMap(Int.init)
try PollExecutor.run { executor in
    let listener = try AsyncTCPListener(binding: .loopback(port: port), on: executor)
    try listener.socket.setNoDelay(true)  // Accepted connections inherit the option.
    if mode == "threads" {
        guard let threads else { fatalError(usage) }
        try await listener.serve(on: PollExecutors(count: threads), limit: 20_000, serve)
    } else {
        try await listener.serve(limit: 20_000, serve)
    }
}
