// Echoes the bytes of many clients with async/await: a task for each connection, on one thread.
//
// Usage: async-echo [ADDRESS [SECONDS]]     (default 127.0.0.1:7007 60)
//
// A client that sends nothing, or does not read its echo, for SECONDS is disconnected. SIGTERM or
// SIGINT stops the server: it accepts no more connections, gives the open ones 10 seconds to end,
// and closes the rest. A second signal closes them at once.
import SystemPackage
import Verypoll
import VerypollAsync

/// Returns the client's bytes to it, until the client ends its side.
///
/// - Parameters:
///   - stream: The connection, which `serve` closes afterward.
///   - limit: The longest wait for the client.
/// - Throws: `Errno.deadlineExceeded` if the client was idle for too long, `Errno.canceled` if the
///   server stops, or the error of the connection.
func echo(_ stream: borrowing AsyncTCPStream, idleLimit limit: Duration) async throws(Errno) {
    var buffer = [UInt8](repeating: 0, count: 16_384)
    while true {
        let deadline = Deadline.now + limit
        let count = try await stream.read(into: buffer.mutableSpan, until: deadline)
        if count == 0 { return }
        // The next read waits until everything is written, so a slow reader slows down its writer.
        try await stream.writeAll(buffer.span.extracting(first: count), until: deadline)
    }
}

/// Prints a line without buffering.
func say(_ line: String) {
    _ = try? FileDescriptor.standardOutput.writeAll((line + "\n").utf8)
}

let arguments = Array(CommandLine.arguments.dropFirst())
let text = arguments.first ?? "127.0.0.1:7007"
guard let address = SocketAddress(text) else {
    fatalError("\(text) is not a valid address; expected one such as 127.0.0.1:7007 or [::1]:7007")
}
let seconds = arguments.count > 1 ? arguments[1] : "60"
guard let idleLimit = Int(seconds).map({ Duration.seconds($0) }), idleLimit > .zero else {
    fatalError("\(seconds) is not a valid number of seconds; expected one such as 60")
}

try PollExecutor.run { executor in
    let signals = try AsyncSignals([.terminate, .interrupt], on: executor)
    let listener = try AsyncTCPListener(binding: address, on: executor)
    say("listening on \(try listener.socket.localAddress())")

    // Not a child task, because the program must not wait for a second signal.
    Task(executorPreference: executor) {
        let signal = try await signals.next()
        say("stopping after signal \(signal.rawValue)")
        Task(executorPreference: executor) {
            _ = try await signals.next()
            await executor.shutdown()
        }
        await executor.shutdown(until: .now + .seconds(10))
    }
    do {
        try await listener.serve { stream in
            do throws(Errno) {
                try await echo(stream, idleLimit: idleLimit)
            } catch {
                say("connection closed: \(error)")
            }
        }
    } catch Errno.canceled {
        // The shutdown has ended `serve`, after the last connection.
    }
}
say("stopped")
