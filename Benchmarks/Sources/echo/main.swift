// Sends back what it receives, on any number of connections.
//
// Usage: echo PORT
import SystemPackage
import Verypoll

guard let port = CommandLine.arguments.dropFirst().first.flatMap(UInt16.init) else {
    fatalError("usage: echo PORT")
}
var server = try EchoServer(port: port)
try server.run()
