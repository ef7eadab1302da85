internal import Logging
internal import SystemPackage
internal import Verypoll

extension Worker {
    /// The shortest time between two lines of the log on circles, in milliseconds.
    private static let circleLogInterval: UInt64 = 10_000

    /// Through how many listeners of this daemon a connection has come.
    mutating func hops(from peer: SocketAddress) -> UInt8 {
        context.chainedPorts.isEmpty ? 0 : context.ownConnections.hops(from: peer)
    }

    /// Notes a connection to a server that may be a listener of this daemon.
    ///
    /// A worker may accept it before; then the chain is one longer when it is refused.
    mutating func noteOwnConnection(
        _ socket: borrowing SessionSocket,
        to server: ServerAddress,
        _ key: SlabKey
    ) {
        guard !context.chainedPorts.isEmpty, case .tcp(let server) = server,
            context.chainedPorts.contains(server.port), let local = socket.tcpLocalAddress
        else { return }
        sessions[key].isOwnConnection = true
        context.ownConnections.note(local, hops: sessions[key].hops + 1)
    }

    /// Forgets the connection of a session that ends, or connects anew.
    func forgetOwnConnection(of session: borrowing Session) {
        guard session.isOwnConnection, let local = session.server.socket.tcpLocalAddress else {
            return
        }
        context.ownConnections.forget(local)
    }

    /// Says in the log that a connection runs in circles.
    mutating func logCircle(through listener: Listener) {
        if let last = context.circleLoggedAt, serveContext.now - last < Self.circleLogInterval {
            return
        }
        context.circleLoggedAt = serveContext.now
        context.logger.warning(
            """
            a connection came through \(OwnConnections.limit) listeners of this daemon one after \
            the other and was refused as a circle; name servers in the upstream that do not lead \
            back to the listener
            """,
            metadata: ["listener": "\(listener.name)"]
        )
    }
}

extension SessionSocket {
    /// The local address of a TCP connection.
    fileprivate var tcpLocalAddress: SocketAddress? {
        switch self {
        case .tcp(let stream): try? stream.localAddress()
        case .unix: nil
        case .none: nil
        }
    }
}
