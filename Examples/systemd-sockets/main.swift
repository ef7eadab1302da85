// Serves on sockets that systemd opened, distinguished by their names.
//
// Usage: systemd-sockets, started by systemd with sockets such as:
//     [Socket]                          [Socket]
//     ListenStream=8080                 ListenStream=/run/example.sock
//     FileDescriptorName=web            FileDescriptorName=control
//
// Or by hand: systemd-socket-activate -l 8080 --fdname=web .build/debug/systemd-sockets
//
// Each client gets a line with the name of the socket. Several sockets may have the same name, such
// as those of one unit with several addresses. Sockets with an unknown name are closed.
#if OSPoll && Net
import SystemPackage
import Verypoll

/// The kinds of sockets that this program serves.
enum Door: ~Copyable {
    case web(TCPListener)
    case control(UnixListener)

    /// Takes ownership of a socket, or closes it if its name is unknown.
    init?(_ passed: PassedSocket) throws {
        let socket = OwnedFD(adopting: passed.descriptor)
        switch passed.name {
        case "web": self = .web(try TCPListener(adopting: socket))
        case "control": self = .control(try UnixListener(adopting: socket))
        default: return nil
        }
    }

    /// Returns the address that the socket listens on.
    func address() throws -> String {
        switch self {
        case .web(let listener): try listener.localAddress().description
        case .control(let listener): try listener.localAddress().description
        }
    }

    func register(with registry: borrowing Registry, token: Token) throws {
        // In level mode, the next poll reports other waiting connections.
        switch self {
        case .web(let listener):
            try registry.register(listener, token: token, interest: .readable, mode: .level)
        case .control(let listener):
            try registry.register(listener, token: token, interest: .readable, mode: .level)
        }
    }

    /// Accepts one connection, sends a line and closes it.
    func serve() throws {
        // The line is so short that it fits into the send buffer of a new socket.
        switch self {
        case .web(let listener):
            guard let accepted = try listener.accept() else { return }
            _ = try accepted.stream.write(Array("this is web\n".utf8).span)
        case .control(let listener):
            guard let accepted = try listener.accept() else { return }
            _ = try accepted.stream.write(Array("this is control\n".utf8).span)
        }
    }
}

/// Prints a line without buffering.
func say(_ line: String) throws {
    try FileDescriptor.standardOutput.writeAll((line + "\n").utf8)
}

var poll = try Poll()
var events = Events(capacity: 16)
let passed = passedSockets()
guard !passed.isEmpty else { fatalError("systemd passed no sockets; see the top of main.swift") }

var doors = Slab<Door>(capacity: passed.count)
for socket in passed {
    guard let door = try Door(socket) else {
        try say("\(socket.name): unknown name, closed")
        continue
    }
    try say("\(socket.name) listens on \(try door.address())")
    guard case .stored(let key) = doors.insert(door) else { continue }
    try doors[key].register(with: poll.registry, token: key.token)
}

while true {
    try poll.poll(&events)
    for event in events {
        guard let key = SlabKey(event.token) else { continue }
        do { try doors[key].serve() } catch { try say("a connection failed: \(error)") }
    }
}
#else
print("systemd-sockets needs the traits OSPoll and Net")
#endif
