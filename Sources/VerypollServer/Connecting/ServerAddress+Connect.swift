internal import SystemPackage
internal import Verypoll

extension ServerAddress {
    /// A connection attempt.
    struct Begun: ~Copyable {
        let socket: SessionSocket
        /// Whether the connection is made already, so that it can be written to without an event.
        let isAtOnce: Bool
    }

    /// Whether a connection is made once connect(2) has succeeded; see unix(7).
    var isConnectedAtOnce: Bool {
        if case .unix = self { true } else { false }
    }

    /// Begins to connect.
    ///
    /// A connection to a server on this machine is made or refused before connect(2) returns, even
    /// if connect(2) reports that it is in progress. It counts as made only if the server accepted
    /// the last connection, because it may have been refused. It needs no keep-alive, because its
    /// loss is always noticed.
    ///
    /// - Parameters:
    ///   - options: The listener whose socket options apply.
    ///   - isProven: Whether the server accepted the last connection.
    ///   - mayMeetItself: Whether the kernel may assign the server's own port to the connection.
    /// - Returns: The connection, which may still be refused.
    /// - Throws: The error of connect(2).
    func connect(
        options: Listener,
        isProven: Bool,
        mayMeetItself: Bool
    ) throws(Errno) -> Begun {
        switch self {
        case .unix(let address):
            let stream = try UnixStream(connectingTo: address)
            return Begun(socket: .unix(stream), isAtOnce: true)
        case .vsock(let address):
            return Begun(
                socket: .vsock(try VsockStream(connectingTo: address)),
                isAtOnce: false
            )
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
    /// Returns whether the socket has connected to itself.
    ///
    /// If no process listens on a port of this machine and the kernel assigns that port to the
    /// connection, connect(2) succeeds: TCP allows a simultaneous open, and both ends are this
    /// socket.
    func hasMetItself(_ address: SocketAddress) throws(Errno) -> Bool {
        let local = try localAddress()
        return local.port == address.port && local.ip.unmapped == address.ip.unmapped
    }
}
