internal import Foundation
internal import Synchronization
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

/// Reloads under load: `VERYPOLL_RELOADS` reloads, with ten times as many live sessions.
@Suite("Reloads under load")
struct ReloadSwarmTests {
    private let reloads =
        ProcessInfo.processInfo.environment["VERYPOLL_RELOADS"].flatMap(Int.init) ?? 40

    @Test("reloads end no session, refuse no connection, and leak neither descriptors nor memory")
    func survivesReloads() throws {
        try raiseDescriptorLimit(toAtLeast: 16_000)
        let servers = [try LineServer("one"), try LineServer("two")]
        defer { for server in servers { try? server.end() } }
        let daemon = try TestDaemon(
            serving("echo"),
            proxying(),
            more: Self.upstreams(servers, round: 0)
        )
        let (echo, front) = (try daemon.address(), try daemon.address(of: "front"))
        let sessions = try (0..<reloads * 10).map { index in
            Held(try Client(address: index % 2 == 0 ? echo : front))
        }
        defer { withExtendedLifetime(sessions) {} }
        try Self.ask(sessions)

        let newcomers = Newcomers(address: echo)
        var (descriptors, memory) = (0, 0)
        for round in 1...reloads {
            if round % 10 == 0 {
                try daemon.replace("{\n  \"listeners\": ]\n}")
                let problems = try daemon.refusedReload()
                #expect(problems.map(\.line) == [2])
                #expect(problems.map(\.column) == [16])
            } else {
                try rewrite(daemon, servers, round: round)
                #expect(try !daemon.reload().isEmpty)
                if round % 2 == 1 { #expect(try daemon.connect(to: "extra").ask() != "") }
            }
            if round == 11 {
                descriptors = try daemon.program.openDescriptorCount()
                memory = try daemon.program.residentByteCount()
            }
            if round % 10 == 5 { try Self.ask(sessions) }
        }
        #expect(try newcomers.end() > 0)

        try Self.ask(sessions)
        try eventually("the new clients to have disconnected") {
            try daemon.status().totals.active == sessions.count
        }
        // The first and the last compared round have the same listeners.
        try rewrite(daemon, servers, round: 11)
        try daemon.reload()
        try eventually("the number of descriptors to return to the former one") {
            try daemon.program.openDescriptorCount() <= descriptors + sanitizerDescriptorCount
        }
        let growth = try daemon.program.residentByteCount() - memory
        #expect(isSanitized || growth < 4 << 20, "\(growth) bytes more")
    }

    /// Exchanges a line on every session, which leaves the session as it was.
    private static func ask(_ sessions: [Held]) throws {
        for held in sessions { try held.client.send("?\n") }
        for held in sessions {
            let line = try held.client.receiveLine()
            #expect(line?.hasSuffix("?") == true)
        }
    }

    /// Changes limits, timeouts, weights and servers, and adds or removes a listener.
    private func rewrite(
        _ daemon: borrowing TestDaemon,
        _ servers: [LineServer],
        round: Int
    ) throws {
        let echo = serving("echo", #", "maxSessions": \#(50_000 / 10 + round)"#)
        let front = proxying(#", "timeouts": {"idle": "\#(1000 + round)s"}"#)
        let more = Self.upstreams(servers, round: round)
        if round % 2 == 1 {
            try daemon.rewrite(echo, front, proxying(as: "extra"), more: more)
        } else {
            try daemon.rewrite(echo, front, more: more)
        }
    }

    private static func upstreams(_ servers: [LineServer], round: Int) -> String {
        let addresses = servers.map(\.address)
        let some = round % 3 == 0 ? [addresses[0]] : addresses
        let member = upstream(some, #", "connectTimeout": "\#(5 + round % 2)s""#)
        return VerypollDaemonTests.upstreams(member)
    }

}

/// Clients that connect and disconnect all the time.
private final class Newcomers: Sendable {
    private struct Refused: Error {
        let failures: [String]
    }

    private let isOver = Atomic(false)
    private let completed = Atomic(0)
    private let work = Mutex<ConcurrentWork<Void>?>(nil)

    init(address: String) {
        let work = ConcurrentWork { [self] in
            while !isOver.load(ordering: .relaxed) {
                let crowd = EchoCrowd(address: address, clientCount: 20, sizes: 1...1000)
                let outcome = try crowd.run()
                guard outcome.failures.isEmpty else { throw Refused(failures: outcome.failures) }
                completed.add(outcome.completed, ordering: .relaxed)
            }
        }
        self.work.withLock { $0 = work }
    }

    /// Stops the clients; returns how many were served, and throws if one was not.
    func end() throws -> Int {
        isOver.store(true, ordering: .relaxed)
        try work.withLock { $0 }?.join()
        return completed.load(ordering: .relaxed)
    }
}
