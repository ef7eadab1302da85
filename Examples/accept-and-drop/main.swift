// The server of the Getting started guide: accepts TCP connections and drops them at once.
//
// Usage: accept-and-drop [ADDRESS]     (default 127.0.0.1:7013)
//
// Prints the address it listens on, then a line for each connection. Runs until it is killed.
#if OSPoll && Net
import SystemPackage
import Verypoll

/// Prints a line without buffering.
func say(_ line: String) throws {
    try FileDescriptor.standardOutput.writeAll((line + "\n").utf8)
}

let text = CommandLine.arguments.dropFirst().first ?? "127.0.0.1:7013"
guard let address = SocketAddress(text) else {
    fatalError("\(text) is not a valid address; expected one such as 127.0.0.1:7013 or [::1]:7013")
}

var poll = try Poll()
var events = Events(capacity: 128)
let server = Token(0)
let listener = try TCPListener(binding: address)
try poll.registry.register(listener, token: server, interest: .readable)
try say("listening on \(try listener.localAddress())")

while true {
    try poll.poll(&events)
    for event in events where event.token == server {
        while let accepted = try listener.accept() {
            try say("dropping \(accepted.peer)")
        }
    }
}
#else
print("accept-and-drop needs the traits OSPoll and Net")
#endif
