// Echo with SwiftNIO's async channels: one event loop, and a task for each connection.
//
// Usage: nio-async-echo PORT
import NIOCore
import NIOPosix

typealias Client = NIOAsyncChannel<ByteBuffer, ByteBuffer>

func echo(_ client: Client) async {
    do {
        try await client.executeThenClose { inbound, outbound in
            for try await bytes in inbound { try await outbound.write(bytes) }
        }
    } catch {
        // The client has gone.
    }
}

guard let port = CommandLine.arguments.dropFirst().first.flatMap(Int.init) else {
    fatalError("usage: nio-async-echo PORT")
}
let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup(numberOfThreads: 1))
    .serverChannelOption(.backlog, value: 4096)
    .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
    .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
    .childChannelOption(.allowRemoteHalfClosure, value: true)
    .childChannelOption(
        .recvAllocator,
        value: FixedSizeRecvByteBufferAllocator(capacity: 16384)
    )
    .bind(host: "127.0.0.1", port: port) { channel in
        channel.eventLoop.makeCompletedFuture {
            try Client(wrappingChannelSynchronously: channel)
        }
    }
try await server.executeThenClose { clients in
    try await withThrowingDiscardingTaskGroup { group in
        for try await client in clients {
            group.addTask { await echo(client) }
        }
    }
}
