internal import Console
internal import SystemPackage
internal import Verypoll
internal import VerypollConfiguration

/// One check of a server: a connection that is made, and asked something if the configuration says
/// so, to the first of the server's addresses where that works.
///
/// Each address has its share of the time that is left, so that one that swallows everything does
/// not keep the check from the others. A check that says nothing ends its connection with a reset:
/// nothing can be lost by it, and neither this machine keeps the connection in TIME-WAIT, nor does
/// a server read an end of file from somebody who never was a client. One that has talked ends as
/// clients do.
final class HealthProbe {
    /// What the check has shown.
    enum Outcome: Equatable {
        case success
        /// The server does not do what it should.
        case failure(String)
        /// The check could not be made, for want of something on this side.
        case inconclusive(Errno)
    }

    /// Which server is checked.
    let target: Int
    let startedAt: ContinuousClock.Instant
    /// When the time of the present address is over.
    private(set) var dueAt: ContinuousClock.Instant

    private let endsAt: ContinuousClock.Instant
    private let token: Token
    private let request: [UInt8]
    private let expected: [UInt8]
    private let namesAddress: Bool
    private var addresses: ArraySlice<ServerAddress>
    private var present: ServerAddress?
    private var socket = SessionSocket.none
    private var isConnected = false
    private var sentCount = 0
    private var answer: [UInt8] = []

    /// Makes the check of a server, which begins with ``start(with:now:)``.
    ///
    /// - Parameters:
    ///   - target: The number of what is checked, for the caller.
    ///   - server: Whose addresses are tried.
    ///   - check: How.
    ///   - header: The PROXY header that the server expects.
    ///   - token: What its events carry.
    ///   - now: The present.
    init(
        of target: Int,
        _ server: UpstreamServer,
        check: UpstreamConfiguration.HealthCheck,
        header: UpstreamConfiguration.ProxyHeader,
        token: Token,
        now: ContinuousClock.Instant
    ) {
        self.target = target
        self.token = token
        request = header.ofCheck + Array(check.send.utf8)
        expected = Array(check.expect.utf8)
        addresses = server.addresses[...]
        if case .host = server.target { namesAddress = true } else { namesAddress = false }
        startedAt = now
        endsAt = now + check.timeout
        dueAt = endsAt
    }

    /// Begins with the first address.
    func start(with registry: borrowing Registry, now: ContinuousClock.Instant) -> Outcome? {
        tryNext(after: .failure("it has no address"), with: registry, now: now)
    }

    /// Goes on after an event.
    func advance(with registry: borrowing Registry, now: ContinuousClock.Instant) -> Outcome? {
        step().flatMap { conclude($0, with: registry, now: now) }
    }

    /// Gives up the present address, whose time is over, unless there is an answer by now: a server
    /// is not to pay for it that this process was kept from looking.
    func expire(with registry: borrowing Registry, now: ContinuousClock.Instant) -> Outcome? {
        let outcome = step() ?? failure("no \(isConnected ? "answer" : "connection") in time")
        return conclude(outcome, with: registry, now: now)
    }

    /// Goes on with the next address, unless the present one works.
    private func conclude(
        _ outcome: Outcome,
        with registry: borrowing Registry,
        now: ContinuousClock.Instant
    ) -> Outcome? {
        if case .success = outcome { return outcome }
        return tryNext(after: outcome, with: registry, now: now)
    }

    /// Goes through the addresses until one has to be waited for or works.
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
        answer = []
        do throws(Errno) {
            socket = try SessionSocket(connectingTo: address)
            try socket.register(with: registry, token: token, forOutput: true)
        } catch {
            return outcome(of: error)
        }
        return step()
    }

    /// Does what can be done now; `nil` if an event has to be waited for.
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
        while sentCount < request.count {
            let rest = request[sentCount...]
            guard let count = try socket.write(rest.span) else { return false }
            sentCount += count
        }
        return true
    }

    private func receive() throws(Errno) -> Outcome? {
        while answer.count < expected.count {
            var received: Int?
            try answer.append(addingCapacity: expected.count - answer.count) {
                output throws(Errno) in received = try socket.read(into: &output)
            }
            guard let received else { return nil }
            let isRight = expected.starts(with: answer)
            if received > 0, isRight { continue }
            let text = String(decoding: answer, as: UTF8.self).escapedForPeople.quoted
            return failure(isRight ? "its answer ended after \(text)" : "it answered \(text)")
        }
        let connection = exchange(&socket, with: .none)
        if request.isEmpty, expected.isEmpty { connection.reset() }
        return .success
    }

    private func outcome(of error: Errno) -> Outcome {
        let isOurs = AcceptFailure(error) == .resources || error == .addressNotAvailable
        return isOurs ? .inconclusive(error) : failure("\(error)")
    }

    private func failure(_ reason: String) -> Outcome {
        guard namesAddress, let present else { return .failure(reason) }
        return .failure("\(present): \(reason)")
    }
}

extension SessionSocket {
    /// Begins to connect; ``finishConnect()`` tells when it is done.
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
        }
    }

    /// As `StreamSocket.finishConnect()`.
    fileprivate func finishConnect() throws(Errno) -> ConnectProgress {
        switch self {
        case .tcp(let stream): try stream.finishConnect()
        case .unix(let stream): try stream.finishConnect()
        case .none: .pending
        }
    }
}

extension UpstreamConfiguration.ProxyHeader {
    /// What a connection begins with that is nobody's but the proxy's own: `UNKNOWN`, or `LOCAL`.
    fileprivate var ofCheck: [UInt8] {
        switch self {
        case .off: []
        case .v1: Array("PROXY UNKNOWN\r\n".utf8)
        case .v2: Array("\r\n\r\n\0\r\nQUIT\n".utf8) + [0x20, 0, 0, 0]
        }
    }
}
