#if Net && OSExt
internal import SystemPackage
internal import Systemd
internal import Verypoll

/// Why a listener cannot be opened.
struct ListenerError: Error, CustomStringConvertible {
    let listener: String
    let address: ListenAddress
    let reason: String
    /// The way to the key that is wrong, below the listener.
    var keys = ["listen"]

    var description: String { "listener \(listener): \(address): \(reason)" }
}

extension ListenerConfiguration {
    /// Binds the socket of an address, or takes those that systemd passed, or that the process
    /// before has left.
    ///
    /// - Parameters:
    ///   - address: One of the listener's.
    ///   - passed: The sockets of systemd; those that are named are taken.
    ///   - workers: How many workers there are, which matters to `reusePort`.
    ///   - succession: Where the sockets are kept for the next process.
    /// - Returns: One socket, or several of one address.
    /// - Throws: What the operator is to mend.
    func open(
        _ address: ListenAddress,
        passed: inout ActivatedSockets,
        workers: Int,
        succession: Succession
    ) throws(ListenerError) -> [ListeningSocket] {
        let opened: [ListeningSocket]
        do {
            opened = try openAll(address, &passed, workers: workers, succession)
        } catch {
            let reason = Self.explain(error, at: address)
            let key = (error as? FileAccessError)?.key ?? (error as? FileSocketError)?.accessKey
            let keys = key.map { ["socket", $0] } ?? ["listen"]
            throw ListenerError(listener: name, address: address, reason: reason, keys: keys)
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

    /// Binds sockets at the place of another address, one for each of the workers or one for all.
    func bind(
        _ address: SocketAddress,
        place: ListenAddress,
        workers: Range<Int>,
        succession: Succession
    ) throws(Errno) -> [ListeningSocket] {
        var options = TCPListener.Options()
        options.backlog = socket.backlog
        options.reusesPort = socket.reusePort
        options.freeBinds = socket.freeBind
        options.isOnlyV6 = socket.isOnlyV6(at: address.ip)
        options.deferredAccept = socket.deferAccept
        var address = address
        var sockets: [ListeningSocket] = []
        for worker in workers {
            let listener = try TCPListener(binding: address, options: options)
            address = try listener.localAddress()
            let stored = succession.keep(listener.fileDescriptor, at: place, of: name)
            let socket = ListeningSocket(
                .tcp(listener),
                place: place,
                address: address.description,
                worker: self.socket.reusePort ? worker : nil,
                stored: stored
            )
            try socket.apply(self)
            sockets.append(socket)
        }
        return sockets
    }

    func bind(_ address: UnixAddress, _ succession: Succession) throws -> ListeningSocket {
        let backlog = socket.backlog
        let kind: ListeningSocket.Kind
        let stored: StoredSocket?
        switch address {
        case .path(let path):
            let socket = try FileSocket(
                binding: path,
                backlog: backlog,
                access: FileAccess(self.socket),
                succession: succession.room > 0 ? succession : nil
            )
            stored = succession.keep(
                socket.listener.fileDescriptor,
                at: .unix(address),
                of: name
            )
            kind = .file(socket)
        case .abstract, .unnamed:
            let socket = try UnixListener(binding: address, backlog: backlog)
            stored = succession.keep(socket.fileDescriptor, at: .unix(address), of: name)
            kind = .unix(socket)
        }
        return ListeningSocket(
            kind,
            place: .unix(address),
            address: "unix:\(address)",
            worker: nil,
            stored: stored
        )
    }

    func adopt(
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
