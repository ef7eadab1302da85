// A chat with async/await: each line from a member is sent to all others.
//
// Usage: async-chat [ADDRESS]     (default 127.0.0.1:7009; in several terminals: nc 127.0.0.1 7009)
//
// A member has two tasks: one reads the member's lines, and one writes the lines of the others,
// which wait in a queue. A member whose queue is full is removed, so a member that does not read
// slows nobody down. Room.swift shows how tasks share state.
import SystemPackage
import Verypoll
import VerypollAsync

/// The longest line, in bytes.
let longestLine = 4096

/// Passes a member's lines to the room, until the member ends its side.
///
/// - Throws: `Errno.messageTooLong` if a line is too long, or the error of the connection.
func receive(
    from reader: borrowing AsyncStreamReader,
    as number: Int,
    in room: Room
) async throws(Errno) {
    var buffer: [UInt8] = []
    while try await reader.read(appendingTo: &buffer, atMost: longestLine) > 0 {
        let pieces = buffer.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for line in pieces.dropLast() {
            room.send(String(decoding: line, as: UTF8.self), from: number)
            // Lets the tasks of the others write this line, so that many short lines in one read do
            // not fill the queues of members that read.
            await Task.yield()
        }
        // The last piece is an incomplete line.
        buffer = pieces.last.map { Array($0) } ?? []
        guard buffer.count <= longestLine else { throw .messageTooLong }
    }
}

/// Writes the lines of a queue to a member, until the queue ends.
func deliver(_ queue: Room.Queue, to writer: borrowing AsyncStreamWriter) async throws(Errno) {
    for await line in queue {
        try await writer.writeAll(line.span, until: .now + .seconds(10))
    }
}

/// Serves a member until it leaves or is removed.
func serve(_ stream: consuming AsyncTCPStream, in room: Room) async {
    let (number, queue) = room.join()
    let halves = stream.split()
    // Optional, because closures cannot consume noncopyable values that they capture. They can take
    // them out of a variable: the group's closure first, then the closure of each task.
    var reader: AsyncStreamReader? = halves.reader
    var writer: AsyncStreamWriter? = halves.writer
    await withTaskGroup { group in
        var reader = reader.take()
        var writer = writer.take()
        group.addTask {
            if let reader = reader.take() { try? await receive(from: reader, as: number, in: room) }
        }
        group.addTask {
            if let writer = writer.take() { try? await deliver(queue, to: writer) }
        }
        // The first task that ends ends the other one, too.
        await group.next()
        room.leave(number)
        group.cancelAll()
    }
}

/// Prints a line without buffering.
func say(_ line: String) {
    _ = try? FileDescriptor.standardOutput.writeAll((line + "\n").utf8)
}

let text = CommandLine.arguments.dropFirst().first ?? "127.0.0.1:7009"
guard let address = SocketAddress(text) else {
    fatalError("\(text) is not a valid address; expected one such as 127.0.0.1:7009 or [::1]:7009")
}

try PollExecutor.run { executor in
    let room = Room()
    let listener = try AsyncTCPListener(binding: address, on: executor)
    say("listening on \(try listener.socket.localAddress())")
    try await listener.serveOwned(limit: 500) { stream in
        await serve(stream, in: room)
    }
}
