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
///   - datagram: The datagram to answer, with capacity for the longest one.
///   - sender: The address to send `datagram` to, or `nil` if it was sent.
/// - Throws: See recvfrom(2).
func answer(
    _ socket: borrowing UDPSocket,
    _ datagram: inout [UInt8],
    _ sender: inout SocketAddress?
) throws {
    while true {
        if let address = sender {
            do throws(Errno) {
                guard try socket.send(datagram.span, to: address) != nil else { return }
            } catch {
                try say("cannot answer \(address): \(error)")
            }
            sender = nil
        }
        datagram.removeAll(keepingCapacity: true)
        var received: UDPSocket.Received?
        try datagram.append(addingCapacity: 65_536) {
            received = try socket.receiveFrom(into: &$0)
        }
        guard let received else { return }
        sender = received.sender
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

var datagram: [UInt8] = []
datagram.reserveCapacity(65_536)
var sender: SocketAddress?
while true {
    try poll.poll(&events)
    for _ in events { try answer(socket, &datagram, &sender) }
}
#else
print("udp-echo needs the traits OSPoll and Net")
#endif
