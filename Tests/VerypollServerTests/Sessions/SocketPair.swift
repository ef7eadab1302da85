import SystemPackage
import TestSupport
import Verypoll

@testable import VerypollConfiguration
@testable import VerypollServer

/// Two connected sockets, one of which a session can use.
struct SocketPair: ~Copyable {
    /// The socket for the session.
    let near: SessionSocket
    /// The peer's socket.
    let far: SessionSocket

    /// Connects two sockets.
    ///
    /// - Parameters:
    ///   - transport: TCP or Unix-domain sockets.
    ///   - sendBuffer: The size of the send buffers in bytes; `nil` for the kernel's default.
    /// - Throws: See connect(2).
    init(_ transport: Transport, sendBuffer: Int? = nil) throws {
        switch transport {
        case .unix:
            let pair = try UnixStream.pair()
            if let sendBuffer {
                try pair.first.setSendBufferSize(sendBuffer)
                try pair.second.setSendBufferSize(sendBuffer)
            }
            near = .unix(pair.first)
            far = .unix(pair.second)
        case .tcp:
            let listener = try TCPListener(binding: .loopback(port: 0))
            let stream = try TCPStream(connectingTo: listener.localAddress())
            var poll = try Poll()
            var events = Events(capacity: 4)
            try poll.registry.register(listener, token: Token(0), interest: .readable)
            try poll.poll(&events, timeout: patience)
            guard let accepted = try listener.accept() else { throw Errno.timedOut }
            if let sendBuffer {
                try stream.setSendBufferSize(sendBuffer)
                try accepted.stream.setSendBufferSize(sendBuffer)
            }
            near = .tcp(accepted.stream)
            far = .tcp(stream)
        }
    }
}

extension SessionSocket {
    /// Sends as much of a slice of the noise as the kernel accepts now; `nil` for nothing.
    func sendNoise(_ count: Int, at start: Int) throws(Errno) -> Int? {
        try write(Array(Noise.slice(count, at: start)).span, isLast: false)
    }

    /// Receives once; returns `nil` if there are no bytes, and an empty array at the end of file.
    func receiveNow(atMost limit: Int = 65_536) throws -> [UInt8]? {
        var bytes: [UInt8] = []
        var count: Int?
        try bytes.append(addingCapacity: limit) { output in
            count = try read(into: &output)
        }
        return count == nil ? nil : bytes
    }

    /// Receives all available bytes; returns their number.
    func drain() throws -> Int {
        var count = 0
        while let bytes = try receiveNow(), !bytes.isEmpty { count += bytes.count }
        return count
    }
}

/// Buffers that a test takes from a pool, so that few or none are left for a session.
struct TakenBuffers: ~Copyable {
    private var taken = Slab<Buffer>(capacity: BufferPool.limit)

    /// Takes buffers until only this many are left.
    mutating func take(from pool: inout BufferPool, leaving rest: Int = 0) {
        while pool.inUse < BufferPool.limit - rest, case .stored = taken.insert(pool.take()) {}
    }

    /// Returns all taken buffers to the pool.
    mutating func give(to pool: inout BufferPool) {
        for index in 0..<taken.endIndex {
            if let key = taken.key(at: index), let buffer = taken.remove(key) { pool.give(buffer) }
        }
    }
}
