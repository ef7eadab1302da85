internal import CTestSupport
internal import Foundation
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("Sharing of sessions between workers")
struct WorkerShareTests {
    /// The number of rounds; see ``expectShares(of:_:)``.
    private static let rounds = 5

    /// Expects that in most rounds no worker had more than 60% of the sessions.
    ///
    /// Not in all rounds, because the other workers do not wait for one that gets no CPU time. A
    /// round does not count against the daemon if the worker with fewer sessions waited for a CPU
    /// for at least a tenth of the time.
    private func expectShares(
        of daemon: borrowing TestDaemon,
        _ round: (_ number: Int) throws -> [Int]
    ) throws {
        var seen: [(counts: [Int], waits: [Duration], span: Duration)] = []
        for number in 1...Self.rounds {
            let (beginning, before) = (ContinuousClock.now, try waits(of: daemon))
            let counts = try round(number)
            let waits = zip(try waits(of: daemon), before).map { $0 - $1 }
            seen.append((counts, waits, ContinuousClock.now - beginning))
        }
        let right = seen.count { counts, waits, span in
            let isFair = (counts.max() ?? 0) * 100 <= 60 * counts.reduce(0, +)
            return isFair || waits[counts[0] < counts[1] ? 0 : 1] * 10 >= span
        }
        #expect(right > seen.count / 2, "\(seen)")
    }

    /// Returns how long each of two workers has been runnable but waiting for a CPU.
    private func waits(of daemon: borrowing TestDaemon) throws -> [Duration] {
        let process = daemon.program.processID
        return try (0..<2).map { worker in
            let thread = try daemon.threadID(ofWorker: worker)
            let path = "/proc/\(process)/task/\(thread)/schedstat"
            let fields = try String(contentsOfFile: path, encoding: .utf8).split(separator: " ")
            guard fields.count == 3, let wait = Int64(fields[1]) else {
                throw Errno.invalidArgument
            }
            return .nanoseconds(wait)
        }
    }

    /// Waits until the workers have published their session counts.
    private func shares(of daemon: borrowing TestDaemon, total: Int) throws -> [Int] {
        try eventually("the workers to report \(total) sessions") {
            let counts = try daemon.status().workers.map(\.sessions)
            return counts.reduce(0, +) == total ? counts : nil
        }
    }

    @Test("of 400 sessions opened one after another, no worker gets more than 60%")
    func spreadsSlowly() throws {
        let daemon = try TestDaemon(serving("echo"), workers: 2)
        let address = try daemon.address()
        var clients: [Held] = []
        defer { withExtendedLifetime(clients) {} }
        try expectShares(of: daemon) { _ in
            clients = []
            try daemon.waitForNoSession()
            for _ in 1...400 {
                let client = try Client(address: address)
                try client.send("?")
                #expect(try client.receive(exactly: 1) == Array("?".utf8))
                clients.append(Held(client))
            }
            return try shares(of: daemon, total: 400)
        }
    }

    @Test(
        "of 400 sessions opened at once, no worker gets more than 60%",
        arguments: [true, false]
    )
    func spreadsQuickly(proxied: Bool) throws {
        let server = try LineServer("app")
        defer { try? server.end() }
        let daemon = try TestDaemon(
            serving("echo"),
            proxying(),
            more: upstreams(upstream([server.address])),
            workers: 2
        )
        let address = try daemon.address(of: proxied ? "front" : "echo")
        var clients: [Held] = []
        defer { withExtendedLifetime(clients) {} }
        try expectShares(of: daemon) { _ in
            clients = []
            try daemon.waitForNoSession()
            clients = try (0..<400).map { _ in Held(try Client(address: address)) }
            for held in clients { try held.client.send("?\n") }
            for held in clients { #expect(try held.client.receiveLine()?.hasSuffix("?") == true) }
            return try shares(of: daemon, total: 400)
        }
    }

    @Test("of 200 short sessions, no worker gets more than 60%", arguments: [1, 2, 20])
    func spreadsShort(concurrency: Int) throws {
        let daemon = try TestDaemon(
            serving("echo"),
            more: #""log": {"level": "info", "sessions": true},"#,
            workers: 2
        )
        var crowd = EchoCrowd(address: try daemon.address(), clientCount: 200, sizes: 1...1000)
        crowd.concurrency = concurrency
        try expectShares(of: daemon) { round in
            #expect(try crowd.run().completed == 200)
            let numbers = try eventually("200 sessions to be logged") {
                let said = try daemon.program.standardError
                let numbers = said.matches(of: /session=(\d+)/).compactMap { Int($0.1) }
                return numbers.count == 200 * round ? numbers.suffix(200) : nil
            }
            // Each worker has its own session IDs: of two workers, one has the odd ones.
            let odd = numbers.count { $0 % 2 == 1 }
            return [odd, 200 - odd]
        }
    }

    @Test("a stalled worker delays no session that another worker can serve")
    func passesStuckWorker() throws {
        let server = try LineServer("app")
        defer { try? server.end() }
        let daemon = try TestDaemon(
            serving("echo"),
            proxying(),
            more: upstreams(upstream([server.address])),
            workers: 2
        )
        let (echo, front) = (try daemon.address(), try daemon.address(of: "front"))
        for stuck in 0..<2 {
            // A thread that is stopped while it works may hold a lock that the others need.
            try daemon.waitForNoSession()
            let thread = try daemon.threadID(ofWorker: stuck)
            guard ctest_stop_thread(thread) == 0 else { throw Errno(rawValue: errno) }
            defer { ctest_resume_thread(thread) }
            let polls = try daemon.status().workers[stuck].polls
            var clients: [Held] = []
            defer { withExtendedLifetime(clients) {} }
            for _ in 0..<100 {
                let client = try Client(address: echo)
                try client.send("?")
                #expect(try client.receive(exactly: 1) == Array("?".utf8))
                clients.append(Held(client))
                let other = try Client(address: front)
                #expect(try other.ask() == "app")
            }
            let workers = try daemon.status().workers
            #expect(workers[1 - stuck].sessions >= 100)
            #expect(workers[stuck].polls == polls)
        }
        try daemon.waitForNoSession()
    }

    @Test("bulk sessions do not delay new ones")
    func passesBulk() throws {
        let daemon = try TestDaemon(serving("echo"), serving("chargen"), workers: 2)
        let (echo, chargen) = (try daemon.address(), try daemon.address(of: "chargen"))
        let bulk = try (0..<8).map { _ in Held(try Client(address: chargen)) }
        let end = Flag()
        let readers = bulk.map { held in
            ConcurrentWork {
                while !end.isSet {
                    let bytes = try held.client.receive(atMost: 1 << 20)
                    #expect(!bytes.isEmpty)
                }
            }
        }
        defer { end.set() }
        try eventually("all bulk sessions to flow") { try daemon.status(of: "chargen").active == 8 }
        for _ in 0..<300 {
            let client = try Client(address: echo)
            try client.send("?")
            #expect(try client.receive(exactly: 1) == Array("?".utf8))
        }
        #expect(try daemon.status(of: "chargen").active == 8)
        end.set()
        for reader in readers { try reader.join() }
    }
}
