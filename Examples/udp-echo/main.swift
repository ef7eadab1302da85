// Sends every datagram back to whom it came from.
//
// Usage: udp-echo [ADDRESS]     (default 127.0.0.1:7007)
//
// While the socket takes no more, nothing more is read: the kernel's queue fills, and what exceeds
// it is lost, as is UDP's way.
#if OSPoll && Net
import SystemPackage
import Verypoll

/// Answers until nothing more has come, or no more is taken; an edge tells when to go on.
///
/// - Parameters:
///   - socket: Where datagrams come from and go to.
///   - datagram: The one that is being answered, with room for the longest.
///   - sender: Whom it is to be sent to, `nil` if it has been.
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
                try say("no answer to \(address): \(error)")
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

/// Prints a line at once, whether to a terminal or to a pipe.
func say(_ line: String) throws {
    try FileDescriptor.standardOutput.writeAll((line + "\n").utf8)
}

let text = CommandLine.arguments.dropFirst().first ?? "127.0.0.1:7007"
guard let address = SocketAddress(text) else {
    fatalError("\(text) is no address; give one as 127.0.0.1:7007 or [::1]:7007")
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
