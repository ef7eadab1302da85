internal import SystemPackage
package import Verypoll

/// A connection to a client or a server, of either kind.
package enum SessionSocket: ~Copyable, Sendable {
    case tcp(TCPStream)
    case unix(UnixStream)
    /// No connection yet, or none at all; nothing can be read from it or written to it.
    case none

    /// As `StreamSocket.read(into:)`.
    func read(into buffer: inout OutputSpan<UInt8>) throws(Errno) -> Int? {
        switch self {
        case .tcp(let stream): try stream.read(into: &buffer)
        case .unix(let stream): try stream.read(into: &buffer)
        case .none: nil
        }
    }

    /// As `StreamSocket.peek(into:)`.
    func peek(into buffer: inout OutputSpan<UInt8>) throws(Errno) -> Int? {
        switch self {
        case .tcp(let stream): try stream.peek(into: &buffer)
        case .unix(let stream): try stream.peek(into: &buffer)
        case .none: nil
        }
    }

    /// As `StreamSocket.write(_:)`, or where the end of the way follows at once
    /// `StreamSocket.writeHoldingBack(_:)`.
    func write(_ bytes: Span<UInt8>, isLast: Bool = false) throws(Errno) -> Int? {
        switch self {
        case .tcp(let stream):
            isLast ? try stream.writeHoldingBack(bytes) : try stream.write(bytes)
        case .unix(let stream): try stream.write(bytes)
        case .none: nil
        }
    }

    /// Moves bytes that came into a pipe; as `Pipe.Sender.splice(from:atMost:)`.
    func splice(into pipe: borrowing Pipe.Sender, atMost count: Int) throws(Errno) -> Int? {
        switch self {
        case .tcp(let stream): try pipe.splice(from: stream, atMost: count)
        case .unix(let stream): try pipe.splice(from: stream, atMost: count)
        case .none: nil
        }
    }

    /// Sends bytes out of a pipe; as `Pipe.Receiver.splice(to:atMost:)`.
    func splice(from pipe: borrowing Pipe.Receiver, atMost count: Int) throws(Errno) -> Int? {
        switch self {
        case .tcp(let stream): try pipe.splice(to: stream, atMost: count)
        case .unix(let stream): try pipe.splice(to: stream, atMost: count)
        case .none: nil
        }
    }

    /// Ends the way to the peer, after what is still to be sent.
    func shutdownWriting() throws(Errno) {
        switch self {
        case .tcp(let stream): try stream.shutdown(.write)
        case .unix(let stream): try stream.shutdown(.write)
        case .none: break
        }
    }

    /// Watches by edges for what comes, once for the whole life of the connection.
    ///
    /// Urgent data is watched for as well, because a read ends short of it. That there is room to
    /// write is the rule, so it is no event until it was found missing.
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
        case .none: break
        }
    }

    /// Watches for room to write as well, from now on.
    func watchOutput(with registry: borrowing Registry, token: Token) throws(Errno) {
        let interest = Self.interest(forOutput: true)
        switch self {
        case .tcp(let stream):
            try registry.reregister(stream, token: token, interest: interest)
        case .unix(let stream):
            try registry.reregister(stream, token: token, interest: interest)
        case .none: break
        }
    }

    private static func interest(forOutput: Bool) -> Interest {
        forOutput ? [.readable, .writable, .priority] : [.readable, .priority]
    }

    /// Ends the connection so that the peer sees a reset, where there is such a thing.
    consuming func reset() {
        switch consume self {
        case .tcp(let stream): stream.reset()
        case .unix: break
        case .none: break
        }
    }

    /// Takes off why a connection could not be made, or was broken since; `nil` if neither.
    func connectError() -> Errno? {
        do throws(Errno) {
            switch self {
            case .tcp(let stream): _ = try stream.finishConnect()
            case .unix(let stream): _ = try stream.finishConnect()
            case .none: break
            }
            return nil
        } catch {
            return error
        }
    }

    /// The bytes that the kernel keeps until the peer has room for them, where a reset would drop
    /// them.
    var unsentByteCount: Int {
        switch self {
        case .tcp(let stream): (try? stream.unsentByteCount()) ?? 0
        case .unix: 0
        case .none: 0
        }
    }

    /// Gives the descriptor up without closing it; `nil` if there is none.
    consuming func release() -> OwnedFD? {
        switch consume self {
        case .tcp(let stream): stream.release()
        case .unix(let stream): stream.release()
        case .none: nil
        }
    }

    /// Sends small writes at once rather than gather them while earlier ones are under way.
    func sendAtOnce() throws(Errno) {
        switch self {
        case .tcp(let stream): try stream.setNoDelay(true)
        case .unix: break
        case .none: break
        }
    }

    /// Who connected to a Unix-domain socket, for people: `unix:pid=12,uid=1000`.
    var peerCredentialsDescription: String {
        switch self {
        case .tcp: return "unknown"
        case .none: return "unknown"
        case .unix(let stream):
            guard let peer = try? stream.peerCredentials() else { return "unknown" }
            return "unix:pid=\(peer.processID),uid=\(peer.userID)"
        }
    }

    /// The address of this end, for people; `nil` if the kernel does not tell.
    var localDescription: String? {
        switch self {
        case .tcp(let stream): (try? stream.localAddress())?.description
        case .unix(let stream): (try? stream.localAddress()).map { "unix:\($0)" }
        case .none: nil
        }
    }
}
