internal import SystemPackage
internal import Systemd
internal import Verypoll
internal import VerypollConfiguration
internal import VerypollServer

/// The reason why a listener cannot be opened.
struct ListenerError: Error, CustomStringConvertible {
    let listener: String
    let address: ListenAddress
    let reason: String
    /// The path to the key with the problem, below the listener.
    var keys = ["listen"]

    var description: String { "listener \(listener): \(address): \(reason)" }
}

extension ListenerConfiguration {
    /// Returns the number of sockets at each address of the listener.
    func socketCount(workers: Int) -> Int { socket.reusePort ? workers : 1 }

    /// Opens the missing sockets at an address.
    ///
    /// Sockets at IP addresses are only bound. They listen once the exchange is committed.
    ///
    /// - Parameters:
    ///   - address: One of the listener's addresses.
    ///   - kept: The sockets that the listener already has at the address.
    ///   - activated: The sockets passed by systemd; those for the address are removed.
    ///   - workers: The number of workers; with `reusePort`, each has a socket of its own.
    ///   - exchange: The exchange that the new sockets are part of.
    ///   - handoffStore: The store that keeps sockets for the next process.
    /// - Returns: The kept sockets and the new ones.
    /// - Throws: `ListenerError`, which tells the operator what to correct.
    func open(
        _ address: ListenAddress,
        besides kept: [ListeningSocket],
        activated: inout ActivatedSockets,
        workers: Int,
        exchange: SocketExchange,
        handoffStore: HandoffStore
    ) throws(ListenerError) -> [ListeningSocket] {
        let opened: [ListeningSocket]
        do {
            switch address {
            case .systemd(let name): opened = try kept.isEmpty ? adopt(name, &activated) : kept
            case .unix(let unix):
                if kept.isEmpty {
                    let socket = try bind(unix, handoffStore)
                    exchange.note(socket, of: self)
                    opened = [socket]
                } else {
                    opened = kept
                }
            case .vsock(let vsock):
                opened = try kept.isEmpty ? [exchange.bind(vsock, for: self)] : kept
            case .ip(let ip):
                // If the kernel has chosen the port, all sockets have the same one.
                let present = kept.first.flatMap { SocketAddress($0.address) } ?? ip
                let missing = kept.count..<max(kept.count, socketCount(workers: workers))
                opened =
                    try kept
                    + exchange.bind(present, at: address, for: self, workers: missing)
            }
        } catch {
            let reason = explain(error, at: address, exchange)
            let key = (error as? FileAccessError)?.key ?? (error as? FileSocketError)?.accessKey
            let keys = key.map { ["socket", $0] } ?? ["listen"]
            throw ListenerError(listener: name, address: address, reason: reason, keys: keys)
        }
        if opened.isEmpty {
            let reason = """
                systemd passed no socket with this name; set FileDescriptorName= in a .socket \
                unit of this service, and start the unit
                """
            throw ListenerError(listener: name, address: address, reason: reason)
        }
        return opened
    }

    /// Binds one socket for each worker, or one for all workers.
    ///
    /// - Parameters:
    ///   - address: The address to bind.
    ///   - place: The address as configured.
    ///   - workers: The workers that need a socket; a single one if all workers share a socket.
    ///   - sharesPort: Whether the new sockets replace existing ones that use the same port.
    /// - Returns: The sockets, which do not listen yet.
    /// - Throws: See bind(2).
    func bind(
        _ address: SocketAddress,
        at place: ListenAddress,
        _ workers: Range<Int>,
        sharesPort: Bool
    ) throws(Errno) -> [ListeningSocket] {
        var options = TCPListener.Options()
        options.reusesPort = socket.reusePort || sharesPort
        options.freeBinds = socket.freeBind
        options.isOnlyV6 = socket.isOnlyV6(at: address.ip)
        options.deferredAccept = socket.deferAccept
        var address = address
        var sockets: [ListeningSocket] = []
        for worker in workers {
            let listener = try TCPListener(reserving: address, options: options)
            address = try listener.localAddress()
            let socket = ListeningSocket(
                .tcp(listener),
                place: place,
                address: address.description,
                worker: self.socket.reusePort ? worker : nil
            )
            sockets.append(socket)
        }
        return sockets
    }

    func bind(_ address: UnixAddress, _ handoffStore: HandoffStore) throws -> ListeningSocket {
        let backlog = socket.backlog
        let kind: ListeningSocket.Kind
        switch address {
        case .path(let path):
            let socket = try FileSocket(
                binding: path,
                backlog: backlog,
                access: FileAccess(self.socket),
                keeper: handoffStore.room > 0 ? handoffStore : nil
            )
            kind = .file(socket)
        case .abstract, .unnamed:
            let socket = try UnixListener(binding: address, backlog: backlog)
            kind = .unix(socket)
        }
        return ListeningSocket(
            kind,
            place: .unix(address),
            address: "unix:\(address)",
            worker: nil
        )
    }

    func bind(_ address: VsockAddress) throws(Errno) -> ListeningSocket {
        let listener = try VsockListener(binding: address, backlog: socket.backlog)
        let bound = try listener.localAddress()
        return ListeningSocket(
            .vsock(listener),
            place: .vsock(address),
            address: "vsock:\(bound)",
            worker: nil
        )
    }

    func adopt(
        _ name: String,
        _ activated: inout ActivatedSockets
    ) throws(Errno) -> [ListeningSocket] {
        var sockets: [ListeningSocket] = []
        for descriptor in activated.take(named: name) {
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
        let kind = try ListeningSocket.Kind(adopting: descriptor)
        let address = try kind.localAddress()
        return ListeningSocket(kind, place: place, address: address, worker: nil)
    }

    private func explain(
        _ error: any Error,
        at address: ListenAddress,
        _ exchange: SocketExchange
    ) -> String {
        guard let error = error as? Errno else {
            return (error as? FileSocketError)?.reason ?? "\(error)"
        }
        if case .vsock(let vsock) = address, let reason = explain(error, at: vsock) {
            return reason
        }
        let isActivated = if case .systemd = address { true } else { false }
        return switch error {
        case .addressInUse:
            "\(error); \(holder(of: address, exchange))"
        case .permissionDenied, .notPermitted:
            "\(error); ports below 1024 need CAP_NET_BIND_SERVICE, or a socket unit of systemd"
        case .addressNotAvailable:
            "\(error); no interface has this address; set socket.freeBind to bind it anyway"
        case .invalidArgument where isActivated:
            "the passed socket does not listen; a .socket unit of this service needs Accept=no"
        case .protocolWrongTypeForSocket where isActivated,
            .addressFamilyNotSupported where isActivated:
            "the passed socket is not a TCP, Unix or vsock stream socket; use ListenStream="
        default: "\(error)"
        }
    }

    private func explain(_ error: Errno, at address: VsockAddress) -> String? {
        switch error {
        case .addressInUse:
            """
            \(error); another socket has this port, perhaps one of this daemon with another CID; \
            find it with ss --vsock -lnp, or restart the daemon
            """
        case .addressNotAvailable:
            "\(error); this machine does not have this CID; write \"vsock:*:\(address.port)\" for all"
        case .addressFamilyNotSupported:
            """
            \(error); the kernel has no vsock, or RestrictAddressFamilies= of the unit lacks \
            AF_VSOCK; load the module vmw_vsock_virtio_transport in a virtual machine, vhost_vsock \
            on its host, or vsock_loopback for this machine alone
            """
        default: nil
        }
    }

    private func holder(of address: ListenAddress, _ exchange: SocketExchange) -> String {
        if case .ip(let ip) = address,
            let unit = exchange.unit(at: ip, isOnlyV6: socket.isOnlyV6(at: ip.ip))
        {
            return """
                systemd listens there with its socket "\(unit)"; write "systemd:\(unit)" to \
                accept from it, or stop its .socket unit
                """
        }
        return "another process listens there; find it with ss -ltnp"
    }
}
