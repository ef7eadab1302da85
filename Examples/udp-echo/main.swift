// Sends each datagram back to its sender.
//
// Usage: udp-echo [ADDRESS]     (default 127.0.0.1:7007)
//
// While the socket accepts no more bytes, the server does not read: the kernel's receive queue
// fills up, and the kernel drops further datagrams.
#if OSPoll && Net
import SystemPackage
import Verypoll

/// Answers datagrams until there is nothing to read or no room to write.
///
/// An edge reports a change.
///
/// - Parameters:
///   - socket: The socket to receive from and send to.
///   - buffer: The buffer for datagrams, as long as the longest one.
///   - unanswered: The datagram in `buffer` that was not answered yet, or `nil`.
/// - Throws: See recvfrom(2).
func answer(
    _ socket: borrowing UDPSocket,
    _ buffer: inout [UInt8],
    _ unanswered: inout UDPSocket.Received?
) throws {
    while true {
        if let received = unanswered {
            let datagram = buffer.span.extracting(first: received.byteCount)
            do throws(Errno) {
                guard try socket.send(datagram, to: received.sender) != nil else { return }
            } catch {
                try say("cannot answer \(received.sender): \(error)")
            }
        }
        unanswered = try socket.receiveFrom(into: buffer.mutableSpan)
        if unanswered == nil { return }
    }
}

/// Prints a line without buffering.
func say(_ line: String) throws {
    try FileDescriptor.standardOutput.writeAll((line + "\n").utf8)
}

let text = CommandLine.arguments.dropFirst().first ?? "127.0.0.1:7007"
guard let address = SocketAddress(text) else {
    fatalError("\(text) is not a valid address; expected one such as 127.0.0.1:7007 or [::1]:7007")
}

var poll = try Poll()
var events = Events(capacity: 8)
let socket = try UDPSocket(binding: address)
try poll.registry.register(socket, token: Token(0), interest: [.readable, .writable])
try say("listening on \(try socket.localAddress())")

var buffer = [UInt8](repeating: 0, count: 65_536)
var unanswered: UDPSocket.Received?
while true {
    try poll.poll(&events)
    for _ in events { try answer(socket, &buffer, &unanswered) }
}
#else
print("udp-echo needs the traits OSPoll and Net")
#endif
