internal import FuzzSupport
internal import SystemPackage
internal import Verypoll

@testable internal import StrictJSON
@testable internal import Varlink
@testable internal import VerypollConfiguration
@testable internal import VerypollControl
@testable internal import VerypollDaemon
@testable internal import VerypollServer

/// A client and the control server, which take turns in random order.
struct Conversation: ~Copyable {
    /// More turns mean that the server spins or never closes the connection.
    private static let turnLimit = 100_000

    private static let service = Result { try makeService() }

    private var server: ControlServer
    private var poll: Poll
    private let client: UnixStream
    private let handler = FakeHandler()
    private var chance: UInt64
    private var events = Events(capacity: 8)
    private var received: [UInt8] = []

    init(seed: UInt64) throws(Errno) {
        let poll = try Poll()
        let listener = try UnixListener(binding: .unnamed)
        let client = try UnixStream(connectingTo: try listener.localAddress())
        guard case .success(let service) = Self.service else { throw .invalidArgument }
        server = try ControlServer(
            listener: listener,
            registry: try poll.registry.clone(),
            firstToken: 10,
            service: service,
            authorization: Authorization(daemonUser: try client.peerCredentials().userID),
            threadTime: { .zero }
        )
        chance = seed
        self.client = client
        self.poll = poll
    }

    private static func makeService() throws -> Varlink.Service {
        try Varlink.Service(
            vendor: "a",
            product: "b",
            version: "c",
            url: "",
            interfaces: [
                try Interface(description: DaemonInterface.description),
                try Interface(description: SystemdInterface.description),
                try Interface(description: MetricsInterface.description),
            ]
        )
    }

    /// Sends the whole stream and then end of file; returns the bytes received until the server
    /// closes.
    mutating func answers(to stream: [UInt8]) throws(Errno) -> [UInt8] {
        let readsLate = next(below: 4) == 0
        // Chunks of a few bytes, about half a message, or everything; expanded spaces are not sent
        // singly.
        let longest = max([3, 17, 61, 100_000][next(below: 4)], stream.count / 1_000)
        var sent = 0
        var isOpen = true
        for _ in 0..<Self.turnLimit {
            if isOpen, sent < stream.count {
                let portion = min(1 + next(below: longest), stream.count - sent)
                isOpen = try send(stream, from: &sent, atMost: portion)
                if sent == stream.count, isOpen { try shutdown() }
            } else if isOpen, stream.isEmpty, sent == 0 {
                sent = 1
                try shutdown()
            }
            let isIdle = try work()
            if !readsLate || isIdle {
                if try isOver() { return received }
            }
        }
        require(false, "the server did not close within \(Self.turnLimit) turns")
        return received
    }

    /// Runs one turn of the server; returns whether it had nothing to do.
    private mutating func work() throws(Errno) -> Bool {
        try poll.poll(&events, timeout: .zero)
        server.handle(events, handler: handler)
        server.tick(handler: handler)
        let jobs = handler.takeJobs()
        for job in jobs { server.finish(job.run(), handler: handler) }
        let isIdle = events.isEmpty && jobs.isEmpty && server.deadline == nil
        if next(below: 16) == 0 { server.tell([MonitorEvent(.lost, timestampUSec: 1)]) }
        // Some answers are completed at once, and some only when nothing else happens.
        if isIdle || next(below: 2) == 0 { handler.completeOne(on: &server) }
        return isIdle
    }

    private mutating func send(
        _ stream: [UInt8],
        from sent: inout Int,
        atMost count: Int
    ) throws(Errno) -> Bool {
        do throws(Errno) {
            let written = try client.write(stream.span.extracting(sent..<sent + count))
            sent += written ?? 0
            return true
        } catch .brokenPipe {
            return false
        } catch .connectionReset {
            return false
        }
    }

    private func shutdown() throws(Errno) {
        do throws(Errno) {
            try client.shutdown(.write)
        } catch .socketNotConnected {
            // The server has already closed the connection.
        }
    }

    /// Reads the available bytes; returns whether the connection has ended.
    private mutating func isOver() throws(Errno) -> Bool {
        do throws(Errno) {
            while true {
                var count: Int?
                try received.append(addingCapacity: 1 << 16) { output throws(Errno) in
                    count = try client.read(into: &output)
                }
                guard let count else { return false }
                if count == 0 { return true }
            }
        } catch .connectionReset {
            // The server closed the connection with unread bytes of the client.
            return true
        }
    }

    private mutating func next(below limit: Int) -> Int {
        chance = chance &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(chance >> 33) % limit
    }
}
