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
        do throws(Errno) {
            // A connection that nobody keeps is closed.
            while try listener.accept() != nil {}
        } catch .connectionAbort {
            // It was gone before it was accepted; the next may be there.
            try poll.registry.reregister(listener, token: Token(0), interest: .readable)
        }
    }
}

guard let port = CommandLine.arguments.dropFirst().first.flatMap(UInt16.init) else {
    fatalError("usage: drop PORT")
}
try serve(TCPListener(binding: .loopback(port: port)))
