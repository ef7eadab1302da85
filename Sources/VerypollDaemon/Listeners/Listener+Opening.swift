#if Net && OSExt
internal import SystemPackage
internal import Systemd
internal import Verypoll

/// Why a listener cannot be opened.
struct ListenerError: Error, CustomStringConvertible {
    let listener: String
    let address: ListenAddress
    let reason: String

    var description: String { "listener \(listener): \(address): \(reason)" }
}

extension ListenerConfiguration {
    /// Binds the socket of an address, or takes those that systemd passed.
    ///
    /// - Parameters:
    ///   - address: One of the listener's.
    ///   - passed: The sockets of systemd; those that are named are taken.
    ///   - workers: How many workers there are, which matters to `reusePort`.
    /// - Returns: One socket, or several of one address.
    /// - Throws: What the operator is to mend.
    func open(
        _ address: ListenAddress,
        passed: inout ActivatedSockets,
        workers: Int
    ) throws(ListenerError) -> [ListeningSocket] {
        let opened: [ListeningSocket]
        do {
            switch address {
            case .ip(let ip): opened = try bind(ip, workers: workers)
            case .unix(let unix): opened = [try bind(unix)]
            case .systemd(let name): opened = try adopt(name, &passed)
            }
        } catch {
            let reason = Self.explain(error, at: address)
            throw ListenerError(listener: name, address: address, reason: reason)
        }
        if opened.isEmpty {
            let reason = """
                systemd passed no socket of this name; write FileDescriptorName= in a .socket \
                unit of this service, and start that
                """
            throw ListenerError(listener: name, address: address, reason: reason)
        }
        return opened
    }

    private func bind(
        _ place: SocketAddress,
        workers: Int
    ) throws(Errno) -> [ListeningSocket] {
        var options = TCPListener.Options()
        options.backlog = socket.backlog
        options.reusesPort = socket.reusePort
        options.freeBinds = socket.freeBind
        options.isOnlyV6 = socket.onlyV6
        options.deferredAccept = socket.deferAccept
        var address = place
        var sockets: [ListeningSocket] = []
        for worker in 0..<(socket.reusePort ? workers : 1) {
            let listener = try TCPListener(binding: address, options: options)
            address = try listener.localAddress()
            let socket = ListeningSocket(
                .tcp(listener),
                place: .ip(place),
                address: address.description,
                worker: self.socket.reusePort ? worker : nil
            )
            try socket.apply(self)
            sockets.append(socket)
        }
        return sockets
    }

    private func bind(_ address: UnixAddress) throws -> ListeningSocket {
        let backlog = socket.backlog
        let kind: ListeningSocket.Kind
        switch address {
        case .path(let path):
            // As with a TCP port, everybody on the machine may connect who can see the file.
            let everybody = FilePermissions(rawValue: 0o666)
            kind = .file(
                try FileSocket(binding: path, backlog: backlog, mode: everybody, group: nil)
            )
        case .abstract, .unnamed:
            kind = .unix(try UnixListener(binding: address, backlog: backlog))
        }
        let name = "unix:\(address)"
        return ListeningSocket(kind, place: .unix(address), address: name, worker: nil)
    }

    private func adopt(
        _ name: String,
        _ passed: inout ActivatedSockets
    ) throws(Errno) -> [ListeningSocket] {
        var sockets: [ListeningSocket] = []
        for descriptor in passed.take(named: name) {
            let socket = try Self.adopt(OwnedFD(adopting: descriptor), place: .systemd(name))
            try socket.apply(self)
            sockets.append(socket)
        }
        return sockets
    }

    private static func adopt(
        _ descriptor: consuming OwnedFD,
        place: ListenAddress
    ) throws(Errno) -> ListeningSocket {
        // An attempt takes the descriptor over, so the first is made on a second one.
        let copy = try descriptor.duplicate()
        do throws(Errno) {
            let socket = try UnixListener(adopting: copy)
            let address = "unix:\(try socket.localAddress())"
            return ListeningSocket(.unix(socket), place: place, address: address, worker: nil)
        } catch .addressFamilyNotSupported {
            let socket = try TCPListener(adopting: descriptor)
            let address = try socket.localAddress().description
            return ListeningSocket(.tcp(socket), place: place, address: address, worker: nil)
        }
    }

    private static func explain(_ error: any Error, at address: ListenAddress) -> String {
        guard let error = error as? Errno else {
            return (error as? FileSocketError)?.reason ?? "\(error)"
        }
        let isPassed = if case .systemd = address { true } else { false }
        return switch error {
        case .addressInUse:
            "\(error); another process listens there, find it with ss -ltnp"
        case .permissionDenied, .notPermitted:
            "\(error); ports below 1024 need CAP_NET_BIND_SERVICE, or a socket unit of systemd"
        case .addressNotAvailable:
            "\(error); no interface has the address, set socket.freeBind to bind all the same"
        case .invalidArgument where isPassed:
            "the passed socket does not listen; a .socket unit of this service needs Accept=no"
        case .protocolWrongTypeForSocket where isPassed, .addressFamilyNotSupported where isPassed:
            "the passed socket is no TCP or Unix stream socket; use ListenStream="
        default: "\(error)"
        }
    }
}
#endif
