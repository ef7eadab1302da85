#if Net && OSExt
internal import SystemPackage
internal import Systemd
internal import Verypoll
internal import VerypollControl

/// A listener, and the sockets that whoever accepts is to be given.
struct OpenedListener {
    let listener: Listener
    let sockets: [ListeningSocket]
}

/// What a listener is to know of the rest of the configuration.
struct ListenerPlace {
    /// How many workers there are, which matters to `reusePort`.
    let workers: Int
    /// The index of the upstream that its sessions are proxied to.
    let upstream: Int?
    /// The most sessions that the daemon has.
    let sessionLimit: Int

    init(of listener: ListenerConfiguration, in configuration: Configuration) {
        workers = configuration.workers
        upstream = configuration.upstreamIndex(of: listener)
        sessionLimit = configuration.limits.maxSessions
    }
}

/// Why a listener cannot be opened.
struct ListenerError: Error, CustomStringConvertible {
    let listener: String
    let address: ListenAddress
    let reason: String

    var description: String { "listener \(listener): \(address): \(reason)" }
}

extension OpenedListener {
    /// Binds the sockets that the configuration names, and takes those that systemd passed.
    ///
    /// - Parameters:
    ///   - configuration: The listener as the file has it.
    ///   - passed: The sockets of systemd; those that are named are taken.
    ///   - place: What the rest of the file says that matters to it.
    /// - Throws: What the operator is to mend.
    init(
        _ configuration: ListenerConfiguration,
        passed: inout ActivatedSockets,
        place: ListenerPlace
    ) throws(ListenerError) {
        var sockets: [ListeningSocket] = []
        var addresses: [Status.Listener.Address] = []
        for address in configuration.addresses {
            let opened: [ListeningSocket]
            do {
                switch address {
                case .ip(let ip): opened = try Self.bind(ip, configuration, workers: place.workers)
                case .unix(let unix): opened = [try Self.bind(unix, configuration)]
                case .systemd(let name): opened = try Self.adopt(name, configuration, &passed)
                }
            } catch {
                throw ListenerError(configuration, address, Self.explain(error, at: address))
            }
            if opened.isEmpty {
                let reason = """
                    systemd passed no socket of this name; write FileDescriptorName= in a .socket \
                    unit of this service, and start that
                    """
                throw ListenerError(configuration, address, reason)
            }
            let isPassed = if case .systemd = address { true } else { false }
            for socket in opened where (socket.worker ?? 0) == 0 {
                let origin = isPassed ? Status.Listener.Address.Origin.systemd : .bound
                addresses.append(.init(address: socket.address, origin: origin))
            }
            sockets += opened
        }
        self.sockets = sockets
        listener = Listener(
            configuration,
            addresses: addresses,
            upstream: place.upstream,
            sessionLimit: place.sessionLimit
        )
    }

    private static func bind(
        _ address: SocketAddress,
        _ configuration: ListenerConfiguration,
        workers: Int
    ) throws(Errno) -> [ListeningSocket] {
        var options = TCPListener.Options()
        options.backlog = configuration.socket.backlog
        options.reusesPort = configuration.socket.reusePort
        options.freeBinds = configuration.socket.freeBind
        options.isOnlyV6 = configuration.socket.onlyV6
        options.deferredAccept = configuration.socket.deferAccept
        var address = address
        var sockets: [ListeningSocket] = []
        for worker in 0..<(configuration.socket.reusePort ? workers : 1) {
            let socket = try TCPListener(binding: address, options: options)
            try configuration.apply(to: socket)
            address = try socket.localAddress()
            sockets.append(
                ListeningSocket(
                    .tcp(socket),
                    address: address.description,
                    worker: configuration.socket.reusePort ? worker : nil
                )
            )
        }
        return sockets
    }

    private static func bind(
        _ address: UnixAddress,
        _ configuration: ListenerConfiguration
    ) throws -> ListeningSocket {
        let backlog = configuration.socket.backlog
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
        return ListeningSocket(kind, address: "unix:\(address)", worker: nil)
    }

    private static func adopt(
        _ name: String,
        _ configuration: ListenerConfiguration,
        _ passed: inout ActivatedSockets
    ) throws(Errno) -> [ListeningSocket] {
        var sockets: [ListeningSocket] = []
        for descriptor in passed.take(named: name) {
            sockets.append(try adopt(OwnedFD(adopting: descriptor), configuration))
        }
        return sockets
    }

    private static func adopt(
        _ descriptor: consuming OwnedFD,
        _ configuration: ListenerConfiguration
    ) throws(Errno) -> ListeningSocket {
        // An attempt takes the descriptor over, so the first is made on a second one.
        let copy = try descriptor.duplicate()
        do throws(Errno) {
            let socket = try UnixListener(adopting: copy)
            let address = "unix:\(try socket.localAddress())"
            return ListeningSocket(.unix(socket), address: address, worker: nil)
        } catch .addressFamilyNotSupported {
            let socket = try TCPListener(adopting: descriptor)
            try configuration.apply(to: socket)
            let address = try socket.localAddress().description
            return ListeningSocket(.tcp(socket), address: address, worker: nil)
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

extension ListenerError {
    fileprivate init(
        _ configuration: ListenerConfiguration,
        _ address: ListenAddress,
        _ reason: String
    ) {
        self.init(listener: configuration.name, address: address, reason: reason)
    }
}

extension ListenerConfiguration {
    /// Sets the options that accepted connections inherit from their listening socket.
    fileprivate func apply(to listener: borrowing TCPListener) throws(Errno) {
        try listener.setNoDelay(socket.noDelay)
        try listener.setKeepAlive(socket.keepAlive)
        try listener.setUserTimeout(timeouts.userTimeout)
    }
}
#endif
