internal import Console
internal import SystemPackage
internal import Verypoll
internal import VerypollConfiguration

/// One check of a server: it connects to the server's addresses in turn until one works and, if
/// configured, exchanges bytes.
///
/// Each address gets a share of the time that is left, so that an address that drops packets does
/// not prevent attempts at the others. A check that exchanges no bytes resets its connection. The
/// reset loses no data, this machine keeps no connection in TIME-WAIT, and the server does not see
/// an end of file from a client that sent nothing. A check that has exchanged bytes closes the
/// connection like a client. ``CheckExchange`` decides about the bytes.
final class HealthProbe {
    /// The result of a check.
    enum Outcome: Equatable {
        case success
        /// The server is not healthy, for this reason.
        case failure(String)
        /// The check could not be made because this machine lacked resources.
        case inconclusive(Errno)
    }

    /// The number of the checked server.
    let target: Int
    let startedAt: ContinuousClock.Instant
    /// The time at which the attempt at the current address ends.
    private(set) var dueAt: ContinuousClock.Instant

    private let endsAt: ContinuousClock.Instant
    private let token: Token
    private let header: [UInt8]
    private let newExchange: CheckExchange
    private let namesAddress: Bool
    private var addresses: ArraySlice<ServerAddress>
    private var present: ServerAddress?
    private var socket = SessionSocket.none
    private var isConnected = false
    private var exchange: CheckExchange
    private var output: [UInt8] = []
    private var sentCount = 0

    /// The most bytes of one read.
    private static let readLimit = 16_384

    /// Makes the check of a server, which begins with ``start(with:now:)``.
    ///
    /// - Parameters:
    ///   - target: The number of the server, for the caller.
    ///   - server: The server whose addresses are tried.
    ///   - check: The configured check.
    ///   - header: The PROXY header that the server expects.
    ///   - version: The version of the daemon, for checks over HTTP.
    ///   - token: The token of the check's events.
    ///   - now: The current time.
    init(
        of target: Int,
        _ server: UpstreamServer,
        check: UpstreamConfiguration.HealthCheck,
        header: UpstreamConfiguration.ProxyHeader,
        version: String,
        token: Token,
        now: ContinuousClock.Instant
    ) {
        self.target = target
        self.token = token
        self.header = header.ofCheck
        newExchange = CheckExchange(check, of: server.target, version: version)
        exchange = newExchange
        addresses = server.addresses.map { $0.replacingPort(with: check.port) }[...]
        if case .host = server.target { namesAddress = true } else { namesAddress = false }
        startedAt = now
        endsAt = now + check.timeout
        dueAt = endsAt
    }

    /// Starts with the first address.
    func start(with registry: borrowing Registry, now: ContinuousClock.Instant) -> Outcome? {
        tryNext(after: .failure("it has no address"), with: registry, now: now)
    }

    /// Continues after an event.
    func advance(with registry: borrowing Registry, now: ContinuousClock.Instant) -> Outcome? {
        step().flatMap { conclude($0, with: registry, now: now) }
    }

    /// Ends the attempt at the current address, unless an answer has arrived already: a delay of
    /// this process must not count against the server.
    func expire(with registry: borrowing Registry, now: ContinuousClock.Instant) -> Outcome? {
        let outcome =
            step() ?? (isConnected ? conclusion(exchange.expire()) : nil)
            ?? failure("no connection in time")
        return conclude(outcome, with: registry, now: now)
    }

    /// Continues with the next address, unless the current one works.
    private func conclude(
        _ outcome: Outcome,
        with registry: borrowing Registry,
        now: ContinuousClock.Instant
    ) -> Outcome? {
        if case .success = outcome { return outcome }
        return tryNext(after: outcome, with: registry, now: now)
    }

    /// Tries addresses until one of them works or must be waited for.
    private func tryNext(
        after outcome: Outcome,
        with registry: borrowing Registry,
        now: ContinuousClock.Instant
    ) -> Outcome? {
        var last = outcome
        while now < endsAt, let address = addresses.popFirst() {
            dueAt = now + now.duration(to: endsAt) / (addresses.count + 1)
            switch attempt(address, with: registry) {
            case .none: return nil
            case .success: return .success
            case .some(let outcome): last = outcome
            }
        }
        return last
    }

    private func attempt(_ address: ServerAddress, with registry: borrowing Registry) -> Outcome? {
        present = address
        isConnected = false
        sentCount = 0
        exchange = newExchange
        output = header + exchange.request
        do throws(Errno) {
            socket = try SessionSocket(connectingTo: address)
            try socket.register(with: registry, token: token, forOutput: true)
        } catch {
            return outcome(of: error)
        }
        return step()
    }

    /// Does everything that is possible now; returns `nil` if an event must be waited for.
    private func step() -> Outcome? {
        do throws(Errno) {
            guard try connect(), try send() else { return nil }
            return try receive()
        } catch {
            return outcome(of: error)
        }
    }

    private func connect() throws(Errno) -> Bool {
        if isConnected { return true }
        isConnected = try socket.finishConnect() == .connected
        return isConnected
    }

    private func send() throws(Errno) -> Bool {
        while sentCount < output.count {
            let rest = output[sentCount...]
            guard let count = try socket.write(rest.span) else { return false }
            sentCount += count
        }
        return true
    }

    private func receive() throws(Errno) -> Outcome? {
        guard exchange.readsAnswer else { return succeed() }
        while true {
            var received: Int?
            var bytes: [UInt8] = []
            try bytes.append(addingCapacity: min(exchange.room, Self.readLimit)) {
                output throws(Errno) in received = try socket.read(into: &output)
            }
            guard let received else { return nil }
            let step = received == 0 ? exchange.end() : exchange.receive(bytes)
            if let outcome = conclusion(step) { return outcome }
            if case .send(let bytes) = step {
                output += bytes
                guard try send() else { return nil }
            }
        }
    }

    /// Returns the outcome of a step, or `nil` if the check continues.
    private func conclusion(_ step: CheckExchange.Step) -> Outcome? {
        switch step {
        case .wait, .send: nil
        case .success: succeed()
        case .failure(let reason), .refusal(let reason): failure(reason)
        case .unexpected: failure("it gave an unexpected answer")
        }
    }

    private func succeed() -> Outcome {
        let connection = Swift.exchange(&socket, with: .none)
        if output.isEmpty, !exchange.readsAnswer { connection.reset() }
        return .success
    }

    private func outcome(of error: Errno) -> Outcome {
        if exchange.isProven { return succeed() }
        let isOurs = AcceptFailure(error) == .resources || error == .addressNotAvailable
        return isOurs ? .inconclusive(error) : failure("\(error)")
    }

    private func failure(_ reason: String) -> Outcome {
        guard namesAddress, let present else { return .failure(reason) }
        return .failure("\(present): \(reason)")
    }
}

extension SessionSocket {
    /// Begins to connect; ``finishConnect()`` reports the result.
    fileprivate init(connectingTo address: ServerAddress) throws(Errno) {
        switch address {
        case .tcp(let address):
            let stream = try TCPStream(connectingTo: address)
            if try stream.hasMetItself(address) {
                stream.reset()
                throw .connectionRefused
            }
            self = .tcp(stream)
        case .unix(let address): self = .unix(try UnixStream(connectingTo: address))
        case .vsock(let address): self = .vsock(try VsockStream(connectingTo: address))
        }
    }

    /// Works like `StreamSocket.finishConnect()`.
    fileprivate func finishConnect() throws(Errno) -> ConnectProgress {
        switch self {
        case .tcp(let stream): try stream.finishConnect()
        case .unix(let stream): try stream.finishConnect()
        case .vsock(let stream): try stream.finishConnectOrRefusal()
        case .none: .pending
        }
    }
}

extension UpstreamConfiguration.ProxyHeader {
    /// The PROXY header of a connection that the proxy makes for itself: `UNKNOWN` or `LOCAL`.
    fileprivate var ofCheck: [UInt8] {
        switch self {
        case .off: []
        case .v1: Array("PROXY UNKNOWN\r\n".utf8)
        case .v2: Array("\r\n\r\n\0\r\nQUIT\n".utf8) + [0x20, 0, 0, 0]
        }
    }
}
