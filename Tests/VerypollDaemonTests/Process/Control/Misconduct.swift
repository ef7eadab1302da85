internal import Synchronization
internal import SystemPackage
internal import TestSupport

/// Misbehaving clients of the control socket, which reconnect when the daemon disconnects them.
final class Misconduct: Sendable {
    /// The behavior of a client.
    enum Kind: CaseIterable {
        case silent
        case halfMessage
        case brokenMessage
        case oversized
        case unreadAnswers
        case onewayFlood
        case unreadEvents
        case hasty

        /// The bytes that the client sends; a flooding client repeats them.
        var bytes: [UInt8] {
            switch self {
            case .silent, .hasty: []
            case .halfMessage: Array(Self.call().utf8.prefix(20))
            case .brokenMessage: Array(#"{"method": [}"#.utf8) + [0]
            case .oversized: [UInt8](repeating: 0x78, count: 1 << 20) + [0]
            case .unreadAnswers: Array(String(repeating: Self.call(), count: 2000).utf8)
            case .onewayFlood:
                Array(String(repeating: Self.call(#", "oneway": true"#), count: 100).utf8)
            case .unreadEvents: Array(Self.call(#", "more": true"#, "Monitor").utf8)
            }
        }

        private static func call(_ flags: String = "", _ method: String = "GetStatus") -> String {
            ControlPeer.message("io.verypoll.Daemon.\(method)", flags: flags)
        }
    }

    private struct Offender {
        let kind: Kind
        var client: Held?
        var sent = 0
    }

    private struct State: Sendable {
        var connectionCount = 0
        var isOver = false
    }

    private let state = Mutex(State())
    private let path: String
    private let count: Int
    private let bytes = Kind.allCases.map(\.bytes)

    /// Makes `count` clients for the control socket at `path`, which are not yet started.
    init(path: String, count: Int) {
        self.path = path
        self.count = count
    }

    /// How many connections the clients have made.
    var connectionCount: Int { state.withLock { $0.connectionCount } }

    /// Runs the clients while `body` runs, and then disconnects them.
    func run(_ body: () throws -> Void) throws {
        let work = ConcurrentWork { [self] in misbehave() }
        let outcome = Result { try body() }
        state.withLock { $0.isOver = true }
        try work.join()
        try outcome.get()
    }

    private func misbehave() {
        var offenders = (0..<count).map {
            Offender(kind: Kind.allCases[$0 % Kind.allCases.count])
        }
        while true {
            for index in offenders.indices {
                if state.withLock({ $0.isOver }) { return }
                work(&offenders[index])
            }
        }
    }

    /// Lets one of the clients do a little work.
    private func work(_ offender: inout Offender) {
        guard let client = offender.client else {
            // Wait briefly for room in the backlog.
            guard let client = try? Client(path: path, timeout: .seconds(1)) else { return }
            offender.client = Held(client)
            offender.sent = 0
            state.withLock { $0.connectionCount += 1 }
            return
        }
        if offender.kind == .hasty || !isKept(client, &offender) { offender.client = nil }
    }

    /// Sends what the kernel accepts; returns whether the connection is still open.
    private func isKept(_ held: Held, _ offender: inout Offender) -> Bool {
        let bytes = bytes[Kind.allCases.firstIndex(of: offender.kind) ?? 0]
        do throws(Errno) {
            if offender.sent < bytes.count {
                let end = min(offender.sent + 65_536, bytes.count)
                offender.sent += try held.client.sendNow(bytes[offender.sent..<end]) ?? 0
                let isFlood = offender.kind == .onewayFlood
                if isFlood, offender.sent == bytes.count { offender.sent = 0 }
                return true
            }
            // Two kinds never read; the other kinds receive nothing before the end.
            switch offender.kind {
            case .unreadAnswers, .unreadEvents: return true
            default: return try held.client.receiveNow() == nil
            }
        } catch {
            return false
        }
    }
}
