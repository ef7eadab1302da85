// Accepts connections and closes them at once.
//
// Usage: drop PORT
import SystemPackage
import Verypoll

func serve(_ listener: borrowing TCPListener) throws(Errno) -> Never {
    var poll = try Poll()
    var events = Events(capacity: 16)
    try poll.registry.register(listener, token: Token(0), interest: .readable)
    while true {
        try poll.poll(&events)
        while try acceptOne(from: listener) {}
    }
}

/// Accepts one connection; returns whether there may be more.
func acceptOne(from listener: borrowing TCPListener) throws(Errno) -> Bool {
    do throws(Errno) {
        // The accepted connection is not kept, so it is closed.
        return try listener.accept() != nil
    } catch let error where AcceptFailure(error) == .connection {
        return true
    }
}

guard let port = CommandLine.arguments.dropFirst().first.flatMap(UInt16.init) else {
    fatalError("usage: drop PORT")
}
try serve(TCPListener(binding: .loopback(port: port)))
