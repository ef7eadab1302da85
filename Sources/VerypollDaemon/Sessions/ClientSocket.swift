#if Net && OSExt
internal import SystemPackage
internal import Verypoll

/// The connection to a client, of either kind.
enum ClientSocket: ~Copyable, Sendable {
    case tcp(TCPStream)
    case unix(UnixStream)

    /// As `StreamSocket.read(into:)`.
    func read(into buffer: inout OutputSpan<UInt8>) throws(Errno) -> Int? {
        switch self {
        case .tcp(let stream): try stream.read(into: &buffer)
        case .unix(let stream): try stream.read(into: &buffer)
        }
    }

    /// As `StreamSocket.write(_:)`.
    func write(_ bytes: Span<UInt8>) throws(Errno) -> Int? {
        switch self {
        case .tcp(let stream): try stream.write(bytes)
        case .unix(let stream): try stream.write(bytes)
        }
    }

    /// Ends the way to the client, after what is still to be sent.
    func shutdownWriting() throws(Errno) {
        switch self {
        case .tcp(let stream): try stream.shutdown(.write)
        case .unix(let stream): try stream.shutdown(.write)
        }
    }

    /// Whether a read may return less than there is without a word in the event.
    ///
    /// On a Unix-domain socket it ends at descriptors that the client has passed, which are none of
    /// our business; see unix(7).
    var stopsReadsEarly: Bool {
        switch self {
        case .tcp: false
        case .unix: true
        }
    }

    /// Watches both ways by edges, once for the whole life of the connection.
    ///
    /// Urgent data is watched for as well, because a read ends short of it.
    func register(with registry: borrowing Registry, token: Token) throws(Errno) {
        let interest: Interest = [.readable, .writable, .priority]
        switch self {
        case .tcp(let stream):
            try registry.register(stream, token: token, interest: interest)
        case .unix(let stream):
            try registry.register(stream, token: token, interest: interest)
        }
    }

    /// Ends the connection so that the client sees a reset, where there is such a thing.
    consuming func reset() {
        switch consume self {
        case .tcp(let stream): stream.reset()
        case .unix: break
        }
    }

    /// Who connected to a Unix-domain socket, for people: `unix:pid=12,uid=1000`.
    var peerCredentialsDescription: String {
        switch self {
        case .tcp: return "unknown"
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
        }
    }
}
#endif
