internal import SystemPackage
internal import Verypoll

/// Asks name servers over UDP, and over TCP if an answer does not fit a datagram.
///
/// The calls block the thread, up to a deadline. ``DNSInquiry`` decides about the messages.
enum DNSClient {
    /// How often each server is asked.
    private static let roundCount = 2
    /// The longest wait for the next answer of a server; it doubles with each round.
    private static let firstWait = Duration.seconds(2)
    /// The time without an answer after which further questions are sent.
    private static let lateness = Duration.milliseconds(300)
    /// The longest wait for the next answer over TCP.
    private static let streamWait = Duration.seconds(4)

    /// Asks the servers in their order until each question has its answer.
    ///
    /// - Parameters:
    ///   - questions: The questions; several are asked at a time.
    ///   - servers: The servers. A server that fails, refuses or does not answer is followed by the
    ///     next one.
    ///   - endsAt: The time at which the waiting ends.
    /// - Returns: For each question the answer, which may be that there is no such name, or the
    ///   reason why there is none.
    static func ask(
        _ questions: [DNSQuestion],
        of servers: [SocketAddress],
        until endsAt: ContinuousClock.Instant
    ) -> [Result<DNSMessage, NameLookupFailure>] {
        var inquiry = DNSInquiry(questions)
        for round in 0..<roundCount {
            for server in servers where ContinuousClock.now < endsAt {
                guard inquiry.begin(with: server, isRepetition: round > 0) else { break }
                let wait = firstWait * (1 << round)
                ask(server, &inquiry, wait: wait, until: endsAt)
            }
        }
        return inquiry.results
    }

    /// Asks one server, until the questions have their answers or have failed.
    private static func ask(
        _ server: SocketAddress,
        _ inquiry: inout DNSInquiry,
        wait: Duration,
        until endsAt: ContinuousClock.Instant
    ) {
        var medium = ""
        do throws(Errno) {
            try exchangeDatagrams(&inquiry, with: server, wait: wait, until: endsAt)
            inquiry.endDatagrams()
            guard inquiry.needsStream else { return }
            medium = " over TCP"
            try exchangeSegments(&inquiry, with: server, until: endsAt)
            inquiry.endStream()
        } catch {
            inquiry.end("cannot be reached\(medium): \(error)")
        }
    }

    /// Asks over UDP until all answers have arrived, or none has for some time.
    ///
    /// The socket is new, and the kernel chooses its port at random, which makes it harder to forge
    /// answers.
    private static func exchangeDatagrams(
        _ inquiry: inout DNSInquiry,
        with server: SocketAddress,
        wait: Duration,
        until endsAt: ContinuousClock.Instant
    ) throws(Errno) {
        let socket = try UDPSocket(binding: SocketAddress(.any(server.ip.family), port: 0))
        try socket.connect(to: server)
        var waiter = try Waiter(until: min(endsAt, .now + wait))
        try waiter.poll.registry.register(socket, token: Token(0), interest: .readable)
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            // A datagram without room is lost, as it can be on its way.
            while let message = inquiry.nextDatagram() { _ = try socket.send(message.span) }
            guard inquiry.isWaiting else { return }
            let lateAt = inquiry.hasMoreDatagrams ? ContinuousClock.now + lateness : waiter.dueAt
            guard try waiter.wait(until: lateAt) else { return }
            if inquiry.hasMoreDatagrams, ContinuousClock.now >= lateAt { inquiry.makeRoom() }
            while !waiter.isOver, let count = try socket.receive(into: buffer.mutableSpan) {
                if inquiry.receive(Array(buffer.prefix(count)), isStream: false) {
                    waiter.dueAt = min(endsAt, .now + wait)
                }
            }
        }
    }

    /// Asks over TCP, one question after another.
    private static func exchangeSegments(
        _ inquiry: inout DNSInquiry,
        with server: SocketAddress,
        until endsAt: ContinuousClock.Instant
    ) throws(Errno) {
        let stream = try TCPStream(connectingTo: server)
        var waiter = try Waiter(until: min(endsAt, .now + streamWait))
        try waiter.poll.registry.register(
            stream,
            token: Token(0),
            interest: [.readable, .writable]
        )
        while try stream.finishConnect() == .pending {
            guard try waiter.wait() else { return }
        }
        var input: [UInt8] = []
        while let segment = inquiry.nextSegment() {
            var rest = segment[...]
            while !rest.isEmpty {
                if let count = try stream.write(rest.span) {
                    rest = rest.dropFirst(count)
                } else if try !waiter.wait() {
                    return
                }
            }
            while true {
                if let message = takeMessage(from: &input) {
                    guard inquiry.receive(message, isStream: true) else { return }
                    waiter.dueAt = min(endsAt, .now + streamWait)
                    break
                }
                var count: Int?
                try input.append(addingCapacity: 1 << 14) { output throws(Errno) in
                    count = try stream.read(into: &output)
                }
                if count == 0 { throw .connectionReset }
                if count == nil, try !waiter.wait() { return }
            }
        }
    }

    /// Removes the first whole message from the bytes of a stream; each has its length before it.
    private static func takeMessage(from input: inout [UInt8]) -> [UInt8]? {
        guard input.count >= 2 else { return nil }
        let end = 2 + Int(input[0]) << 8 + Int(input[1])
        guard input.count >= end else { return nil }
        let message = Array(input[2..<end])
        input.removeFirst(end)
        return message
    }

    /// Waits for the events of one socket.
    private struct Waiter: ~Copyable {
        var poll: Poll
        /// The time at which waiting ends.
        var dueAt: ContinuousClock.Instant
        private var events = Events(capacity: 1)

        init(until dueAt: ContinuousClock.Instant) throws(Errno) {
            poll = try Poll()
            self.dueAt = dueAt
        }

        var isOver: Bool { ContinuousClock.now >= dueAt }

        /// Waits for an event, at most until a time.
        ///
        /// - Returns: Whether time was left.
        mutating func wait(until end: ContinuousClock.Instant? = nil) throws(Errno) -> Bool {
            if isOver { return false }
            try poll.poll(&events, until: min(dueAt, end ?? dueAt))
            return true
        }
    }
}
