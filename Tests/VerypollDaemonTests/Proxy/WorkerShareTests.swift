#if Net && OSExt
internal import CTestSupport
internal import Foundation
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("sessions over workers")
struct WorkerShareTests {
    private func expectShares(_ counts: [Int], of total: Int) {
        #expect(counts.reduce(0, +) == total)
        #expect((counts.max() ?? 0) * 100 <= 60 * total, "\(counts)")
    }

    /// Waits until the workers have published what they have, and expects fair shares.
    private func expectShares(of daemon: borrowing TestDaemon, total: Int) throws {
        let counts = try eventually("the workers to tell of \(total) sessions") {
            let counts = try daemon.status().workers.map(\.sessions)
            return counts.reduce(0, +) == total ? counts : nil
        }
        expectShares(counts, of: total)
    }

    @Test("of 400 sessions that begin one after the other, no worker has more than 60 in 100")
    func spreadsSlowly() throws {
        let daemon = try TestDaemon(serving("echo"), workers: 2)
        let address = try daemon.address()
        var clients: [Held] = []
        defer { withExtendedLifetime(clients) {} }
        for count in 1...400 {
            let client = try Client(address: address)
            try client.send("?")
            #expect(try client.receive(exactly: 1) == Array("?".utf8))
            clients.append(Held(client))
            if count % 100 == 0 { try expectShares(of: daemon, total: count) }
        }
    }

    @Test("of 400 sessions that begin at once, no worker has more than 60 in 100")
    func spreadsQuickly() throws {
        let daemon = try TestDaemon(serving("echo"), workers: 2)
        let address = try daemon.address()
        let clients = try (0..<400).map { _ in Held(try Client(address: address)) }
        defer { withExtendedLifetime(clients) {} }
        for held in clients { try held.client.send("?") }
        for held in clients { #expect(try held.client.receive(exactly: 1) == Array("?".utf8)) }
        try expectShares(of: daemon, total: 400)
    }

    @Test("of proxied sessions, no worker has more than 60 in 100")
    func spreadsProxied() throws {
        let server = try LineServer("app")
        defer { try? server.end() }
        let daemon = try TestDaemon(
            proxying(),
            more: upstreams(upstream([server.address])),
            workers: 2
        )
        let address = try daemon.address(of: "front")
        let clients = try (0..<400).map { _ in Held(try Client(address: address)) }
        defer { withExtendedLifetime(clients) {} }
        for held in clients { #expect(try held.client.ask() == "app") }
        try expectShares(of: daemon, total: 400)
    }

    @Test("of 600 short sessions, no worker has more than 60 in 100", arguments: [1, 2, 20])
    func spreadsShort(concurrency: Int) throws {
        let daemon = try TestDaemon(
            serving("echo"),
            more: #""log": {"level": "info", "sessions": true},"#,
            workers: 2
        )
        var crowd = EchoCrowd(address: try daemon.address(), clientCount: 600, sizes: 1...1000)
        crowd.concurrency = concurrency
        #expect(try crowd.run().completed == 600)
        let numbers = try eventually("600 sessions to be logged") {
            let said = try daemon.program.standardError
            let numbers = said.matches(of: /session=(\d+)/).compactMap { Int($0.1) }
            return numbers.count == 600 ? numbers : nil
        }
        // Each worker counts its own: of two, one has the odd numbers and the other the even ones.
        let odd = numbers.count { $0 % 2 == 1 }
        expectShares([odd, 600 - odd], of: 600)
    }

    @Test("a worker that is held up holds up no session that another can serve")
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
            let thread = try threadID(of: stuck, in: daemon.program.processID)
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

    @Test("sessions in bulk hold up no new ones")
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
        for _ in 0..<300 {
            let client = try Client(address: echo)
            try client.send("?")
            #expect(try client.receive(exactly: 1) == Array("?".utf8))
        }
        #expect(try daemon.status(of: "chargen").active == 8)
        end.set()
        for reader in readers { try reader.join() }
    }

    /// The thread of a worker.
    private func threadID(of worker: Int, in process: Int32) throws -> Int32 {
        let folder = "/proc/\(process)/task"
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
            let title = try String(contentsOfFile: "\(folder)/\(name)/comm", encoding: .utf8)
            if title == "worker/\(worker)\n", let number = Int32(name) { return number }
        }
        throw Errno.noSuchProcess
    }
}
#endif
