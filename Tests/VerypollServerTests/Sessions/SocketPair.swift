import SystemPackage
import TestSupport
import Verypoll

@testable import VerypollConfiguration
@testable import VerypollServer

/// Two connected sockets of a session's kind.
struct SocketPair: ~Copyable {
    /// The one that a session is given.
    let near: SessionSocket
    /// The other end of it.
    let far: SessionSocket

    /// Connects two sockets.
    ///
    /// - Parameters:
    ///   - transport: Of which kind they are.
    ///   - sendBuffer: How much the kernel keeps of what each of them sends; nil for what is usual.
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
    /// Sends as much of a slice of the noise as the kernel takes now; nil for nothing.
    func sendNoise(_ count: Int, at start: Int) throws(Errno) -> Int? {
        try write(Array(Noise.slice(count, at: start)).span, isLast: false)
    }

    /// Receives once; nil if nothing is there, and nothing at the end of file.
    func receiveNow(atMost limit: Int = 65_536) throws -> [UInt8]? {
        var bytes: [UInt8] = []
        var count: Int?
        try bytes.append(addingCapacity: limit) { output in
            count = try read(into: &output)
        }
        return count == nil ? nil : bytes
    }

    /// Receives all that is there; returns the number of bytes.
    func drain() throws -> Int {
        var count = 0
        while let bytes = try receiveNow(), !bytes.isEmpty { count += bytes.count }
        return count
    }
}

/// The buffers of a pool that a test has taken, so that there are few or none for others.
struct TakenBuffers: ~Copyable {
    private var taken = Slab<Buffer>(capacity: BufferPool.limit)

    /// Takes buffers until so many are left.
    mutating func take(from pool: inout BufferPool, leaving rest: Int = 0) {
        while pool.inUse < BufferPool.limit - rest, case .stored = taken.insert(pool.take()) {}
    }

    /// Gives all of them back.
    mutating func give(to pool: inout BufferPool) {
        for index in 0..<taken.endIndex {
            if let key = taken.key(at: index), let buffer = taken.remove(key) { pool.give(buffer) }
        }
    }
}
