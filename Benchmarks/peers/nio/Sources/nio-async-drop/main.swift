// Accepts connections and closes them at once, with SwiftNIO's async channels.
//
// Usage: nio-async-drop PORT
import NIOCore
import NIOPosix

guard let port = CommandLine.arguments.dropFirst().first.flatMap(Int.init) else {
    fatalError("usage: nio-async-drop PORT")
}
let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup(numberOfThreads: 1))
    .serverChannelOption(.backlog, value: 4096)
    .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
    .bind(host: "127.0.0.1", port: port) { channel in
        channel.eventLoop.makeCompletedFuture {
            try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
        }
    }
try await server.executeThenClose { clients in
    for try await client in clients {
        do {
            try await client.executeThenClose { _, _ in }
        } catch {
            // The client has gone.
        }
    }
}
