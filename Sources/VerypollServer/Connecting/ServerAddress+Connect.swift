internal import SystemPackage
internal import Verypoll

extension ServerAddress {
    /// A connection that was begun.
    struct Begun: ~Copyable {
        let socket: SessionSocket
        /// Whether it is made by now, so that it can be written to without an event.
        let isAtOnce: Bool
    }

    /// Whether a connection is made when it was begun without an error; see unix(7).
    var isConnectedAtOnce: Bool {
        if case .unix = self { true } else { false }
    }

    /// Begins to connect.
    ///
    /// A server on the machine itself is connected by the time that connect(2) returns, whatever it
    /// returns, and cannot vanish unnoticed, so that it needs no keep-alive. But it may be refused,
    /// so only one that took the last connection is taken to have taken this one.
    ///
    /// - Parameters:
    ///   - options: The listener whose settings for keep-alive and the like hold.
    ///   - isProven: Whether the last connection to the server was made.
    ///   - mayMeetItself: Whether the kernel may give the server's own port to the connection.
    /// - Returns: The connection, which may turn out to be refused yet.
    /// - Throws: Why there is none. See connect(2).
    func connect(
        options: Listener,
        isProven: Bool,
        mayMeetItself: Bool
    ) throws(Errno) -> Begun {
        switch self {
        case .unix(let address):
            let stream = try UnixStream(connectingTo: address)
            return Begun(socket: .unix(stream), isAtOnce: true)
        case .tcp(let address):
            let stream = try TCPStream(connectingTo: address)
            if mayMeetItself, try stream.hasMetItself(address) {
                stream.reset()
                throw .connectionRefused
            }
            let isLocal = address.ip.unmapped.isLoopback
            if !isLocal {
                try stream.setKeepAlive(options.keepAlive)
                if let limit = options.userTimeout { try stream.setUserTimeout(limit) }
            }
            return Begun(socket: .tcp(stream), isAtOnce: isLocal && isProven)
        }
    }
}

extension TCPStream {
    /// Whether it has begun to connect to itself.
    ///
    /// Where nothing listens on a port of this machine, and the kernel gives that same port to the
    /// connection, connect(2) succeeds: TCP lets both ends open at once, and both are this socket.
    func hasMetItself(_ address: SocketAddress) throws(Errno) -> Bool {
        let local = try localAddress()
        return local.port == address.port && local.ip.unmapped == address.ip.unmapped
    }
}
