// A small HTTP/1.1 server with async/await: GET / returns a greeting, POST /echo returns its body.
//
// Usage: async-http [ADDRESS [THREADS]]     (default 127.0.0.1:8080 1)
//
// Connections are kept alive and requests may be pipelined: the server sends its responses when it
// would have to wait for the next request. Everything has a limit: the time for a head, a body and
// a response, their sizes, and the number of connections. Connection.swift reads requests,
// RequestHead.swift parses them, and Response.swift writes responses.
import SystemPackage
import Verypoll
import VerypollAsync

/// Returns the response to a request.
func response(to head: RequestHead, body: [UInt8]) -> Response {
    switch (head.path, head.method) {
    case ("/", "GET"), ("/", "HEAD"): Response(body: Array("hello, world\n".utf8))
    case ("/", _): Response(.methodNotAllowed, allowed: "GET, HEAD")
    case ("/echo", "POST"): Response(body: body)
    case ("/echo", _): Response(.methodNotAllowed, allowed: "POST")
    default: Response(.notFound)
    }
}

/// Answers the requests of a connection until it ends.
func serve(_ stream: borrowing AsyncTCPStream) async throws {
    var connection = Connection()
    do {
        while let head = try await connection.nextHead(from: stream) {
            let body = try await connection.body(of: head, from: stream)
            response(to: head, body: body).write(
                to: &connection.output,
                hasBody: head.method != "HEAD",
                keepsAlive: head.keepsAlive
            )
            if !head.keepsAlive { break }
            if connection.output.count >= 16_384 { try await connection.flush(to: stream) }
        }
    } catch let status as Status {
        Response(status).write(to: &connection.output, keepsAlive: false)
    }
    try await connection.flush(to: stream)
    try await finish(stream)
}

/// Ends the connection after the client has read the last response.
///
/// Closing a socket with unread bytes resets the connection, and the client may lose the response.
func finish(_ stream: borrowing AsyncTCPStream) async throws(Errno) {
    try stream.shutdown(.write)
    var buffer = [UInt8](repeating: 0, count: 4096)
    let deadline = Deadline.now + .seconds(2)
    var rest = 1 << 20
    while rest > 0 {
        let count = try await stream.read(into: buffer.mutableSpan, until: deadline)
        if count == 0 { return }
        rest -= count
    }
}

/// Prints a line without buffering.
func say(_ line: String) {
    _ = try? FileDescriptor.standardOutput.writeAll((line + "\n").utf8)
}

let arguments = Array(CommandLine.arguments.dropFirst())
let text = arguments.first ?? "127.0.0.1:8080"
guard let address = SocketAddress(text) else {
    fatalError("\(text) is not a valid address; expected one such as 127.0.0.1:8080 or [::1]:8080")
}
let threads = arguments.count > 1 ? arguments[1] : "1"
guard let threadCount = Int(threads), (1...1024).contains(threadCount) else {
    fatalError("\(threads) is not a valid number of threads; expected 1 to 1024")
}

try PollExecutor.run { executor in
    let listener = try AsyncTCPListener(binding: address, on: executor)
    try listener.socket.setNoDelay(true)  // Accepted connections inherit the option.
    say("listening on \(try listener.socket.localAddress())")
    // This thread accepts connections, and others serve them.
    let executors = try PollExecutors(count: threadCount)
    try await listener.serve(on: executors, limit: 1000) { stream in
        do {
            try await serve(stream)
        } catch {
            // The client has gone or was idle for too long.
        }
    }
}
