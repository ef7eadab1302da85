internal import Glibc
internal import SystemPackage
internal import TestSupport
internal import VerypollControl

/// Runs many sessions through a daemon, as many at a time as it has listeners, with random
/// schedules on both ends; one thread and poll(2) drive them all.
///
/// Each listener has its own upstream and at most one session, so a server's connection can be
/// assigned to its client before a byte has arrived.
final class ProxySwarm {
    let seed: UInt64
    let isBulk: Bool
    private(set) var daemon: TestDaemon
    private(set) var slots: [Slot] = []
    /// The failures, one per session.
    private(set) var failures: [String] = []
    private(set) var started = 0
    private(set) var broken = 0
    private(set) var byteCount = 0
    private let directory: TemporaryDirectory
    private var nextLookAt: UInt64 = 0
    private var restarts: Restarts?
    private var stops: Stops?
    private let isRough: Bool
    private let inspects: Bool
    private var lastMoveAt: UInt64 = 0

    /// A listener and its server.
    final class Slot {
        let sides: Sides
        let server: Server
        /// Whether sessions here may be broken; without broken sessions, the counters are exact.
        let mayBreak: Bool
        var address = ""
        var session: Session?
        var started = 0
        var sentByClients = 0
        var sentByServers = 0
        var receivedByServers = 0
        var receivedByClients = 0

        init(_ sides: Sides, server: consuming Server, mayBreak: Bool) {
            self.sides = sides
            self.mayBreak = mayBreak
            self.server = server
        }
    }

    /// A session, from its client's connect until both ends are closed.
    final class Session {
        let number: Int
        let client: SwarmEnd
        let server: SwarmEnd
        let acceptsAt: UInt64

        init(
            _ number: Int,
            _ plan: SessionPlan,
            over sides: Sides,
            seed: UInt64,
            now: UInt64,
            hello: [UInt8]?
        ) {
            self.number = number
            client = SwarmEnd(
                plan.client,
                over: sides.client,
                seed: seed &+ UInt64(2 * number),
                preamble: hello.map { .sends($0) } ?? .none
            )
            server = SwarmEnd(
                plan.server,
                over: sides.server,
                seed: seed &+ UInt64(2 * number + 1),
                preamble: hello.map { .expects($0) } ?? .none
            )
            acceptsAt = now + plan.server.connectDelay
        }

        var isOver: Bool { client.isOver && server.isOver }
        var awaitsServer: Bool { server.socket == nil && !server.isOver }
    }

    /// Starts the daemon.
    ///
    /// With a manager, the daemon is restarted from time to time; then no session is broken,
    /// because a client must not disappear before the next daemon knows it.
    ///
    /// Rough sessions are broken by one or both ends, while the daemon is stopped from time to
    /// time.
    ///
    /// With inspection, each client sends a ClientHello first, of which some are long.
    init(
        seed: UInt64,
        concurrency: Int,
        isBulk: Bool = false,
        isRough: Bool = false,
        inspects: Bool = false,
        manager: ServiceManager? = nil
    ) throws {
        let directory = try TemporaryDirectory()
        var listeners: [String] = []
        var upstreams: [String] = []
        for index in 0..<concurrency {
            let sides = Sides.all[index % 4]
            let path = directory.appending("server\(index)")
            let isTCP = sides.server == .tcp
            let server = isTCP ? try Server() : try Server(path: path)
            let address = isTCP ? "127.0.0.1:\(server.port)" : "unix:\(path)"
            let listen = sides.client == .tcp ? "127.0.0.1:0" : "unix:DIR/listener\(index)"
            let inspection =
                inspects
                ? #""inspect": "tls", "routes": {"r": {"serverNames": ["*.test"], "upstream": "#
                    + #""\#(index)"}}"#
                : #""upstream": "\#(index)""#
            listeners.append(
                """
                "\(index)": {"listen": ["\(listen)"], "timeouts": {"inspect": "5min"},
                "handler": {"type": "proxy", \(inspection)}}
                """
            )
            upstreams.append(#""\#(index)": {"servers": ["\#(address)"]}"#)
            let mayBreak = manager == nil && (isRough || index / 4 % 2 == 1)
            slots.append(Slot(sides, server: server, mayBreak: mayBreak))
        }
        daemon = try TestDaemon(
            listeners.joined(separator: ",\n"),
            more: """
                "restart": {"keepSessions": \(manager != nil)},
                "upstreams": {\(upstreams.joined(separator: ",\n"))},
                """,
            manager: manager
        )
        if manager != nil { restarts = Restarts() }
        if isRough { stops = Stops(seed: seed) }
        self.isRough = isRough
        self.inspects = inspects
        for listener in try daemon.status().listeners {
            guard let index = Int(listener.name) else { continue }
            slots[index].address = listener.addresses[0].address
        }
        self.seed = seed
        self.isBulk = isBulk
        self.directory = directory
    }

    /// A readable summary of the run.
    var summary: String {
        "seed \(seed): \(started) sessions, \(broken) of them broken, \(byteCount) bytes"
    }

    /// How often the daemon was restarted.
    var restartCount: Int { restarts?.count ?? 0 }

    /// Runs `sessionCount` sessions, and returns when the last one has ended.
    func run(_ sessionCount: Int) throws {
        let last = started + sessionCount
        lastMoveAt = Self.milliseconds()
        while failures.isEmpty {
            let now = Self.milliseconds()
            for slot in slots where slot.session == nil && started < last {
                try begin(slot, now: now)
            }
            let live = slots.filter { $0.session != nil }
            if live.isEmpty { break }
            try turn(live, now: now)
            try restarts?.step(&daemon, now: now)
            try stops?.step(daemon.program, now: now)
            if nextLookAt <= now, restarts == nil, stops?.isStopped != true {
                nextLookAt = now + 50
                try dismissUnserved(live)
            }
        }
        try restarts?.finish(&daemon)
        try stops?.finish(daemon.program)
    }

    private func begin(_ slot: Slot, now: UInt64) throws {
        var plan = SessionPlan(
            number: started,
            seed: seed,
            isBulk: isBulk,
            mayBreak: slot.mayBreak
        )
        if isRough { plan.breakBoth(seed: seed &+ UInt64(started)) }
        let session = Session(
            started,
            plan,
            over: slot.sides,
            seed: seed,
            now: now,
            hello: inspects ? swarmHello(started) : nil
        )
        session.client.begin(try Client(address: slot.address), now: now)
        slot.session = session
        slot.started += 1
        started += 1
    }

    /// Waits until an end can continue, and continues every end that can.
    private func turn(_ live: [Slot], now: UInt64) throws {
        var entries: [pollfd] = []
        entries.reserveCapacity(2 * live.count)
        let nothing = pollfd(fd: -1, events: 0, revents: 0)
        var wakesAt = UInt64.max
        for slot in live {
            guard let session = slot.session else { continue }
            let client = session.client.interest(other: session.server, now: now)
            entries.append(client?.entry ?? nothing)
            wakesAt = min(wakesAt, client?.wakesAt ?? .max)
            if session.awaitsServer {
                let isDue = session.acceptsAt <= now
                let number = isDue ? slot.server.descriptor.rawValue : -1
                entries.append(pollfd(fd: number, events: Int16(POLLIN), revents: 0))
                if !isDue { wakesAt = min(wakesAt, session.acceptsAt) }
                // A client that has ended may have no server; see below.
                if session.client.isOver { wakesAt = min(wakesAt, now + 50) }
            } else {
                let server = session.server.interest(other: session.client, now: now)
                entries.append(server?.entry ?? nothing)
                wakesAt = min(wakesAt, server?.wakesAt ?? .max)
            }
        }
        let patient = UInt64(patience.components.seconds) * 1000
        let rest = wakesAt == .max ? patient : max(wakesAt, now) - now
        let timeout = restarts == nil && stops == nil ? rest : min(rest, 10)
        let count = unsafe poll(&entries, nfds_t(entries.count), Int32(timeout))
        guard count >= 0 else { throw Errno(rawValue: errno) }
        lastMoveAt = count > 0 ? now : lastMoveAt
        if count == 0, wakesAt == .max, timeout == rest || now - lastMoveAt >= patient {
            let states = live.compactMap { slot in slot.session.map { report($0, slot) } }
            throw TimedOut(waitingFor: "sessions of seed \(seed)", detail: states.joined())
        }
        let then = Self.milliseconds()
        for (index, slot) in live.enumerated() {
            try step(slot, entries[2 * index].revents, entries[2 * index + 1].revents, now: then)
        }
    }

    private func step(
        _ slot: Slot,
        _ clientReadiness: Int16,
        _ serverReadiness: Int16,
        now: UInt64
    ) throws {
        guard let session = slot.session else { return }
        let problem: String?
        if session.awaitsServer {
            if serverReadiness != 0 { session.server.begin(try slot.server.accept(), now: now) }
            problem = nil
        } else {
            problem = session.server.step(serverReadiness, other: session.client, now: now)
        }
        let other = session.client.step(clientReadiness, other: session.server, now: now)
        for problem in [problem, other].compactMap({ $0 }) {
            failures.append("\(problem)\(report(session, slot))")
        }
        if session.isOver { end(slot, session) }
    }

    private func end(_ slot: Slot, _ session: Session) {
        slot.sentByClients += session.client.sent + session.client.preambleCount
        slot.sentByServers += session.server.sent
        slot.receivedByServers += session.server.received + session.server.preambleCount
        slot.receivedByClients += session.client.received
        byteCount += session.client.received + session.server.received
        if session.client.hasBroken || session.server.hasBroken { broken += 1 }
        slot.session = nil
    }

    /// Ends the sessions of clients that ended before they got a server.
    private func dismissUnserved(_ live: [Slot]) throws {
        let waiting = live.filter { slot in
            slot.session.map { $0.awaitsServer && $0.client.isOver } ?? false
        }
        if waiting.isEmpty { return }
        let listeners = try daemon.status().listeners
        for slot in waiting {
            let listener = listeners.first { $0.addresses[0].address == slot.address }
            guard let session = slot.session, let listener, listener.active == 0,
                listener.accepted == slot.started
            else { continue }
            // If the daemon had connected, the connection would have arrived by now.
            var entry = pollfd(fd: slot.server.descriptor.rawValue, events: 1, revents: 0)
            guard unsafe poll(&entry, 1, 0) == 0 else { continue }
            session.server.cancel()
            end(slot, session)
        }
    }

    private func report(_ session: Session, _ slot: Slot) -> String {
        """

        session \(session.number) of seed \(seed), \(slot.sides):
        the client \(session.client.state)
        the server \(session.awaitsServer ? "is not connected" : session.server.state)
        """
    }

    private static func milliseconds() -> UInt64 {
        UInt64((ContinuousClock.now - beginning) / .milliseconds(1))
    }

    /// The start of the millisecond clock.
    private static let beginning = ContinuousClock.now
}
