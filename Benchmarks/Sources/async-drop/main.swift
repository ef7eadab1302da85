// Accepts connections and closes them at once, with async/await.
//
// Usage: async-drop PORT
import SystemPackage
import Verypoll
import VerypollAsync

guard let port = CommandLine.arguments.dropFirst().first.flatMap(UInt16.init) else {
    fatalError("usage: async-drop PORT")
}
try PollExecutor.run { executor in
    let listener = try AsyncTCPListener(binding: .loopback(port: port), on: executor)
    while true { _ = try await listener.accept() }
}
