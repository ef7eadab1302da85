#if Net && OSExt
internal import SystemPackage
internal import Systemd
internal import Verypoll

extension ListenerConfiguration {
    /// Opens the sockets at an address: those that the process before had there, as far as they
    /// are such as the configuration asks for, else new ones.
    func openAll(
        _ address: ListenAddress,
        _ passed: inout ActivatedSockets,
        workers: Int,
        _ succession: Succession
    ) throws -> [ListeningSocket] {
        let limit = socket.reusePort ? workers : 1
        let inherited = inherit(address, limit: limit, &passed, succession)
        switch address {
        case .systemd(let name): return try adopt(name, &passed)
        case .unix(let unix):
            return inherited.isEmpty ? [try bind(unix, succession)] : inherited
        case .ip(let ip):
            // Of a port that the kernel has chosen, all have the same.
            let present = inherited.first.flatMap { SocketAddress($0.address) } ?? ip
            let missing = inherited.count..<limit
            return try inherited
                + bind(present, place: address, workers: missing, succession: succession)
        }
    }

    /// Takes over at most `limit` sockets at the address, and closes those that are of no use.
    private func inherit(
        _ address: ListenAddress,
        limit: Int,
        _ passed: inout ActivatedSockets,
        _ succession: Succession
    ) -> [ListeningSocket] {
        let prefix = StoredSocket.prefix(of: address, listener: name)
        var sockets: [ListeningSocket] = []
        var hasClosed = false
        // More than there are workers now are closed later, as all that nobody claims.
        for name in passed.names where name.hasPrefix(prefix) && sockets.count < limit {
            for descriptor in passed.take(named: name) {
                let owned = OwnedFD(adopting: descriptor)
                if let adopted = adopt(owned, at: address, succession) {
                    let present = adopted.address
                    let socket = ListeningSocket(
                        adopted.kind,
                        place: address,
                        address: present,
                        worker: socket.reusePort ? sockets.count : nil,
                        stored: succession.adopt(name)
                    )
                    sockets.append(socket)
                } else {
                    succession.forget(name)
                    hasClosed = true
                }
            }
        }
        // The store would keep the address for those that were closed.
        if hasClosed { succession.settle() }
        return sockets
    }

    /// A socket, and where it is.
    private struct Adopted: ~Copyable {
        let kind: ListeningSocket.Kind
        let address: String
    }

    private func adopt(
        _ socket: consuming OwnedFD,
        at address: ListenAddress,
        _ succession: Succession
    ) -> Adopted? {
        do throws(Errno) {
            switch address {
            case .ip(let ip): return try adopt(socket, at: ip)
            case .unix(let unix):
                return try adopt(socket, at: unix, succession)
            case .systemd: return nil
            }
        } catch {
            return nil
        }
    }

    private func adopt(
        _ owned: consuming OwnedFD,
        at address: SocketAddress
    ) throws(Errno) -> Adopted? {
        let listener = try TCPListener(adopting: owned)
        let options = socket
        let present = try listener.localAddress()
        guard present.ip == address.ip, address.port == 0 || present.port == address.port,
            StoredSocketState.sharesPort(listener) == options.reusePort,
            StoredSocketState.isOnlyV6(listener) == options.isOnlyV6(at: present.ip)
        else { return nil }
        try listener.setBacklog(options.backlog)
        let deferral = options.deferAccept.map { Int($0.milliseconds + 999) / 1000 }
        try StoredSocketState.setDeferredAccept(deferral ?? 0, of: listener)
        try listener.setNoDelay(options.noDelay)
        try listener.setKeepAlive(options.keepAlive)
        try listener.setUserTimeout(timeouts.userTimeout)
        return Adopted(kind: .tcp(listener), address: present.description)
    }

    private func adopt(
        _ owned: consuming OwnedFD,
        at address: UnixAddress,
        _ succession: Succession
    ) throws(Errno) -> Adopted? {
        let listener = try UnixListener(adopting: owned)
        guard try listener.localAddress() == address else { return nil }
        try listener.setBacklog(socket.backlog)
        guard case .path(let path) = address else {
            return Adopted(kind: .unix(listener), address: "unix:\(address)")
        }
        // Without its file nobody finds the socket.
        let file = try SocketFile(path: path, succession: succession)
        do throws(FileAccessError) {
            try file.apply(FileAccess(socket))
        } catch {
            return nil  // Making the file anew fails alike, and says why.
        }
        return Adopted(kind: .file(FileSocket(listener, file)), address: "unix:\(address)")
    }
}
#endif
