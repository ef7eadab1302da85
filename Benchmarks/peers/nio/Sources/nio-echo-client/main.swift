// Checks an echo server with SwiftNIO's clients: one with channel handlers and one with
// NIOAsyncChannel. Exits with 0 if all bytes came back in order.
//
// Usage: nio-echo-client PORT CONNECTIONS BYTES
import NIOCore
import NIOPosix

let numbers = CommandLine.arguments.dropFirst().compactMap { Int($0) }
guard numbers.count == 3 else { fatalError("usage: nio-echo-client PORT CONNECTIONS BYTES") }
let (port, connections, byteCount) = (numbers[0], numbers[1], numbers[2])
let group = MultiThreadedEventLoopGroup.singleton

/// The bytes that a connection sends.
func pattern(_ seed: Int) -> [UInt8] {
    (0..<byteCount).map { UInt8(truncatingIfNeeded: ($0 &* 31) &+ ($0 >> 8) &+ seed) }
}

/// Collects what comes back, and completes when all of it has come.
final class Collector: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private var received: [UInt8] = []
    private let expected: [UInt8]
    private let isDone: EventLoopPromise<Bool>

    init(_ expected: [UInt8], _ isDone: EventLoopPromise<Bool>) {
        self.expected = expected
        self.isDone = isDone
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received += unwrapInboundIn(data).readableBytesView
        guard received.count >= expected.count else { return }
        isDone.succeed(received == expected)
        context.close(promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        isDone.fail(error)
        context.close(promise: nil)
    }
}

func checkWithHandlers(_ seed: Int) async throws -> Bool {
    let expected = pattern(seed)
    let isDone = group.next().makePromise(of: Bool.self)
    let channel = try await ClientBootstrap(group: group)
        .channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(Collector(expected, isDone))
            }
        }
        .connect(host: "127.0.0.1", port: port)
        .get()
    channel.writeAndFlush(ByteBuffer(bytes: expected), promise: nil)
    return try await isDone.futureResult.get()
}

func checkWithAsyncChannel(_ seed: Int) async throws -> Bool {
    let expected = pattern(seed)
    let channel = try await ClientBootstrap(group: group)
        .connect(host: "127.0.0.1", port: port) { channel in
            channel.eventLoop.makeCompletedFuture {
                try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
            }
        }
    return try await channel.executeThenClose { inbound, outbound in
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await outbound.write(ByteBuffer(bytes: expected)) }
            var received: [UInt8] = []
            for try await buffer in inbound {
                received += buffer.readableBytesView
                if received.count >= expected.count { break }
            }
            try await tasks.waitForAll()
            return received == expected
        }
    }
}

let failures = try await withThrowingTaskGroup(of: Bool.self) { tasks in
    for seed in 0..<connections {
        tasks.addTask { try await checkWithHandlers(seed) }
        tasks.addTask { try await checkWithAsyncChannel(seed) }
    }
    var failures = 0
    for try await isRight in tasks where !isRight { failures += 1 }
    return failures
}
print("\(2 * connections) connections, \(byteCount) bytes each, \(failures) wrong")
guard failures == 0 else { fatalError("an echo was wrong") }
