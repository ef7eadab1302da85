// Accepts connections and closes them at once, with SwiftNIO.
//
// Usage: nio-drop PORT
import NIOCore
import NIOPosix

guard let port = CommandLine.arguments.dropFirst().first.flatMap(Int.init) else {
    fatalError("usage: nio-drop PORT")
}
let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup(numberOfThreads: 1))
    .serverChannelOption(.backlog, value: 4096)
    .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
    .childChannelInitializer { channel in channel.close() }
    .bind(host: "127.0.0.1", port: port)
    .get()
try await channel.closeFuture.get()
