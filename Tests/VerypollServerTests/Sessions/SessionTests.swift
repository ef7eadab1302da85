import Glibc
import SystemPackage
import TestSupport
import Testing
import Verypoll

@testable import VerypollConfiguration
@testable import VerypollServer

@Suite("Session")
struct SessionTests {
    @Test("a buffer returns to the pool when the client has broken the connection")
    func returnsBuffer() throws {
        let pair = try UnixStream.pair()
        var session = session(over: .unix(pair.first))
        var context = ServeContext(splicePipes: SplicePipePool(limit: 0), now: 0)
        while context.pool.inUse == 0 {
            try fill(pair.second)
            session.client.flags.insert(.inputReady)
            _ = session.serve(.echo, in: &context)
        }
        #expect(context.pool.inUse == 1)

        close(pair.second)
        session.client.flags.insert(.outputReady)  // As an event would report.
        guard case .end(.failed) = session.serve(.echo, in: &context).step else {
            Issue.record("the session continues without a client")
            return
        }
        session.toClient.releaseBuffers(in: &context)
        #expect(context.pool.inUse == 0)
    }

    @Test("bytes after urgent data are read, although a read stops at urgent data")
    func readsPastUrgentBytes() throws {
        var poll = try Poll()
        let listener = try TCPListener(binding: .loopback(port: 0))
        try poll.registry.register(listener, token: Token(0), interest: .readable)
        let client = try TCPStream(connectingTo: listener.localAddress())
        var events = Events(capacity: 4)
        try poll.poll(&events, timeout: patience)
        guard let accepted = try listener.accept() else { throw Errno.timedOut }
        let socket = SessionSocket.tcp(accepted.stream)
        try socket.register(with: poll.registry, token: Token(1), forOutput: true)
        var session = session(over: socket)
        var context = ServeContext(splicePipes: SplicePipePool(limit: 0), now: 0)

        try send("abc", over: client.fileDescriptor)
        try send("!", over: client.fileDescriptor, flags: CInt(MSG_OOB))
        try send("def", over: client.fileDescriptor)
        while session.bytesIn < 6 {
            try poll.poll(&events, timeout: patience)
            try #require(!events.isEmpty, "only \(session.bytesIn) of 6 bytes were read")
            for event in events where event.token == Token(1) {
                session.client.note(event)
                #expect(session.serve(.echo, in: &context).step == .wait)
            }
        }
        #expect(session.bytesOut == 6)
    }

    @Test("bytes after a passed descriptor are read")
    func readsPastDescriptors() throws {
        let pair = try UnixStream.pair()
        var session = session(over: .unix(pair.first))
        var context = ServeContext(splicePipes: SplicePipePool(limit: 0), now: 0)
        try pass(pair.second.fileDescriptor, with: "abc", over: pair.second.fileDescriptor)
        try send("def", over: pair.second.fileDescriptor)

        session.client.flags.insert(.inputReady)
        #expect(session.serve(.discard, in: &context).step == .wait)
        #expect(session.bytesIn == 6)
    }

    private func session(over socket: consuming SessionSocket) -> Session {
        Session(id: 1, listener: 0, now: 0, socket: socket, peer: nil, upstream: nil)
    }

    private func send(_ text: String, over socket: FileDescriptor, flags: CInt = 0) throws {
        let bytes = Array(text.utf8)
        let count = unsafe Glibc.send(socket.rawValue, bytes, bytes.count, flags)
        guard count == bytes.count else { throw Errno(rawValue: errno) }
    }

    /// Sends a text and a descriptor; see cmsg(3).
    private func pass(
        _ descriptor: FileDescriptor,
        with text: String,
        over socket: FileDescriptor
    ) throws {
        var bytes = Array(text.utf8)
        var control = [UInt64(20), UInt64(SCM_RIGHTS) << 32 | UInt64(SOL_SOCKET)]
        control.append(UInt64(descriptor.rawValue))
        let count = unsafe bytes.withUnsafeMutableBytes { bytes in
            unsafe control.withUnsafeMutableBytes { control in
                var part = unsafe iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
                return unsafe withUnsafeMutablePointer(to: &part) { part in
                    var message = unsafe msghdr()
                    unsafe message.msg_iov = part
                    unsafe message.msg_iovlen = 1
                    unsafe message.msg_control = control.baseAddress
                    unsafe message.msg_controllen = control.count
                    return unsafe sendmsg(socket.rawValue, &message, 0)
                }
            }
        }
        guard count == bytes.count else { throw Errno(rawValue: errno) }
    }

    /// Writes until the peer's buffer is full.
    private func fill(_ stream: borrowing UnixStream) throws {
        let bytes = [UInt8](repeating: 7, count: 65_536)
        while try stream.write(bytes.span) != nil {}
    }

    private func close(_ stream: consuming UnixStream) {}
}
