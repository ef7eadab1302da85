internal import Verypoll

// Connections to servers that may be listeners of this daemon.

extension Worker {
    /// Registers a connection to a server that may be a listener of this daemon.
    ///
    /// A worker may accept the connection before it is registered. The chain is then refused one
    /// connection later.
    mutating func noteOwnConnection(
        _ socket: borrowing SessionSocket,
        to server: ServerAddress,
        _ key: SlabKey
    ) {
        guard !context.chainedPorts.isEmpty, case .tcp(let server) = server,
            context.chainedPorts.contains(server.port), let local = socket.tcpLocalAddress
        else { return }
        sessions[key].proxyState.isOwnConnection = true
        context.ownConnections.note(local, hops: sessions[key].proxyState.hops + 1)
    }

    /// Removes the registration of a connection that is closed.
    func forgetOwnConnection(of session: borrowing Session) {
        guard session.proxyState.isOwnConnection,
            let local = session.proxyState.server.socket.tcpLocalAddress
        else {
            return
        }
        context.ownConnections.forget(local)
    }
}

extension SessionSocket {
    /// The local address of a TCP connection.
    fileprivate var tcpLocalAddress: SocketAddress? {
        switch self {
        case .tcp(let stream): try? stream.localAddress()
        case .unix: nil
        case .vsock: nil
        case .none: nil
        }
    }
}
