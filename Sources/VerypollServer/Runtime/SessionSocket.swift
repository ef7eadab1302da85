internal import SystemPackage
package import Verypoll

/// A connection to a client or a server, over TCP, a Unix-domain socket or vsock.
package enum SessionSocket: ~Copyable, Sendable {
    case tcp(TCPStream)
    case unix(UnixStream)
    case vsock(VsockStream)
    /// No connection yet, or none at all; reads and writes return `nil`.
    case none

    /// Reads like `StreamSocket.read(into:)`.
    func read(into buffer: inout OutputSpan<UInt8>) throws(Errno) -> Int? {
        switch self {
        case .tcp(let stream): try stream.read(into: &buffer)
        case .unix(let stream): try stream.read(into: &buffer)
        case .vsock(let stream): try stream.read(into: &buffer)
        case .none: nil
        }
    }

    /// Reads like `StreamSocket.peek(into:)`.
    func peek(into buffer: inout OutputSpan<UInt8>) throws(Errno) -> Int? {
        switch self {
        case .tcp(let stream): try stream.peek(into: &buffer)
        case .unix(let stream): try stream.peek(into: &buffer)
        case .vsock(let stream): try stream.peek(into: &buffer)
        case .none: nil
        }
    }

    /// Writes like `StreamSocket.write(_:)`, or like `StreamSocket.writeHoldingBack(_:)` if the end
    /// of file follows at once.
    func write(_ bytes: Span<UInt8>, isLast: Bool = false) throws(Errno) -> Int? {
        switch self {
        case .tcp(let stream):
            isLast ? try stream.writeHoldingBack(bytes) : try stream.write(bytes)
        case .unix(let stream): try stream.write(bytes)
        case .vsock(let stream): try stream.write(bytes)
        case .none: nil
        }
    }

    /// Moves received bytes into a pipe, like `UnixPipe.Sender.splice(from:atMost:)`.
    func splice(into pipe: borrowing UnixPipe.Sender, atMost count: Int) throws(Errno) -> Int? {
        switch self {
        case .tcp(let stream): try pipe.splice(from: stream, atMost: count)
        case .unix(let stream): try pipe.splice(from: stream, atMost: count)
        case .vsock(let stream): try pipe.splice(from: stream, atMost: count)
        case .none: nil
        }
    }

    /// Sends bytes from a pipe, like `UnixPipe.Receiver.splice(to:atMost:)`.
    func splice(from pipe: borrowing UnixPipe.Receiver, atMost count: Int) throws(Errno) -> Int? {
        switch self {
        case .tcp(let stream): try pipe.splice(to: stream, atMost: count)
        case .unix(let stream): try pipe.splice(to: stream, atMost: count)
        case .vsock(let stream): try pipe.splice(to: stream, atMost: count)
        case .none: nil
        }
    }

    /// Half-closes the connection: the peer gets an end of file after the bytes that are still to
    /// be sent.
    func shutdownWriting() throws(Errno) {
        switch self {
        case .tcp(let stream): try stream.shutdown(.write)
        case .unix(let stream): try stream.shutdown(.write)
        case .vsock(let stream): try stream.shutdown(.write)
        case .none: break
        }
    }

    /// Registers the connection, edge-triggered and for its whole life.
    ///
    /// The interest includes urgent data, because a read stops before it. It includes room to write
    /// only if `forOutput` is true, because there is usually room; ``watchOutput(with:token:)``
    /// adds it after a short write.
    func register(
        with registry: borrowing Registry,
        token: Token,
        forOutput: Bool
    ) throws(Errno) {
        let interest = Self.interest(forOutput: forOutput)
        switch self {
        case .tcp(let stream):
            try registry.register(stream, token: token, interest: interest)
        case .unix(let stream):
            try registry.register(stream, token: token, interest: interest)
        case .vsock(let stream):
            try registry.register(stream, token: token, interest: interest)
        case .none: break
        }
    }

    /// Adds room to write to the events that are watched.
    func watchOutput(with registry: borrowing Registry, token: Token) throws(Errno) {
        let interest = Self.interest(forOutput: true)
        switch self {
        case .tcp(let stream):
            try registry.reregister(stream, token: token, interest: interest)
        case .unix(let stream):
            try registry.reregister(stream, token: token, interest: interest)
        case .vsock(let stream):
            try registry.reregister(stream, token: token, interest: interest)
        case .none: break
        }
    }

    private static func interest(forOutput: Bool) -> Interest {
        forOutput ? [.readable, .writable, .priority] : [.readable, .priority]
    }

    /// Closes the connection so that the peer sees a reset; a Unix-domain or vsock connection just
    /// closes.
    consuming func reset() {
        switch consume self {
        case .tcp(let stream): stream.reset()
        case .unix: break
        case .vsock: break
        case .none: break
        }
    }

    /// Reads and clears the error of a failed or broken connection; returns `nil` if there is none.
    func connectError() -> Errno? {
        do throws(Errno) {
            switch self {
            case .tcp(let stream): _ = try stream.finishConnect()
            case .unix(let stream): _ = try stream.finishConnect()
            case .vsock(let stream): _ = try stream.finishConnectOrRefusal()
            case .none: break
            }
            return nil
        } catch {
            return error
        }
    }

    /// The number of bytes that the kernel still holds for the peer, and that a reset would drop.
    var unsentByteCount: Int {
        switch self {
        case .tcp(let stream): (try? stream.unsentByteCount()) ?? 0
        case .unix: 0
        case .vsock: 0
        case .none: 0
        }
    }

    /// Returns the descriptor and leaves it open; `nil` if there is no connection.
    consuming func release() -> OwnedFD? {
        switch consume self {
        case .tcp(let stream): stream.release()
        case .unix(let stream): stream.release()
        case .vsock(let stream): stream.release()
        case .none: nil
        }
    }

    /// Disables Nagle's algorithm, which holds small writes back while earlier ones are
    /// unacknowledged.
    func sendAtOnce() throws(Errno) {
        switch self {
        case .tcp(let stream): try stream.setNoDelay(true)
        case .unix: break
        case .vsock: break
        case .none: break
        }
    }

    /// The process at the other end of a Unix-domain socket, as text: `unix:pid=12,uid=1000`.
    var peerCredentialsDescription: String {
        switch self {
        case .tcp: return "unknown"
        case .vsock: return "unknown"
        case .none: return "unknown"
        case .unix(let stream):
            guard let peer = try? stream.peerCredentials() else { return "unknown" }
            return "unix:pid=\(peer.processID),uid=\(peer.userID)"
        }
    }

    /// The local address as text; `nil` if the kernel does not report it.
    var localDescription: String? {
        switch self {
        case .tcp(let stream): (try? stream.localAddress())?.description
        case .unix(let stream): (try? stream.localAddress()).map { "unix:\($0)" }
        case .vsock(let stream): (try? stream.localAddress()).map { "vsock:\($0)" }
        case .none: nil
        }
    }
}

extension VsockStream {
    /// Works like `finishConnect()`, but reports a refused connection as such.
    ///
    /// vsock has no other answer than a reset to a connection to a port where nothing listens.
    func finishConnectOrRefusal() throws(Errno) -> ConnectProgress {
        do throws(Errno) {
            return try finishConnect()
        } catch .connectionReset {
            throw .connectionRefused
        }
    }
}
