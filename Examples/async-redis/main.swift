// A small subset of Redis with async/await: PING, ECHO, SET, GET, DEL, INCR, COMMAND and QUIT.
//
// Usage: async-redis [ADDRESS]     (default 127.0.0.1:6379)
//
// Works with redis-cli and redis-benchmark, which pipelines commands: the server sends its replies
// when it would have to wait for the next command. Command.swift parses commands, Reply.swift
// writes replies, and Store.swift has the values, which all connections share. Commands, values,
// connections and the time without a command are limited.
import SystemPackage
import Verypoll
import VerypollAsync

/// Executes the commands of a connection until it ends.
func serve(_ stream: borrowing AsyncTCPStream, with store: Store) async throws(Errno) {
    var parser = CommandParser()
    var output: [UInt8] = []
    var isOpen = true
    while isOpen {
        do throws(ProtocolError) {
            while isOpen, output.count < 65_536, let command = try parser.next() {
                store.reply(to: command).write(to: &output)
                isOpen = command.name != "QUIT"
            }
        } catch {
            Reply.error("Protocol error: \(error.message)").write(to: &output)
            isOpen = false
        }
        let hasMore = output.count >= 65_536
        let deadline = Deadline.now + .seconds(300)
        try await stream.writeAll(output.span, until: deadline)
        output.removeAll(keepingCapacity: !hasMore)
        if hasMore || !isOpen { continue }
        let count = try await stream.read(
            appendingTo: &parser.buffer,
            atMost: 16_384,
            until: deadline
        )
        isOpen = count > 0
    }
}

/// Prints a line without buffering.
func say(_ line: String) {
    _ = try? FileDescriptor.standardOutput.writeAll((line + "\n").utf8)
}

let text = CommandLine.arguments.dropFirst().first ?? "127.0.0.1:6379"
guard let address = SocketAddress(text) else {
    fatalError("\(text) is not a valid address; expected one such as 127.0.0.1:6379 or [::1]:6379")
}

try PollExecutor.run { executor in
    let store = Store()
    let listener = try AsyncTCPListener(binding: address, on: executor)
    try listener.socket.setNoDelay(true)  // Accepted connections inherit the option.
    say("listening on \(try listener.socket.localAddress())")
    try await listener.serve(limit: 1000) { stream in
        do throws(Errno) {
            try await serve(stream, with: store)
        } catch {
            // The client has gone or was idle for too long.
        }
    }
}
