internal import Glibc
internal import TestSupport
internal import Testing

/// Like ``ProxyPropertyTests``, while several daemons serve the sessions one after another.
@Suite("Restart: random schedules", .serialized)
struct RestartPropertyTests {
    private func run(_ sessionCount: Int, concurrency: Int, isBulk: Bool) throws {
        let seed = UInt64.random(in: 0 ... .max)
        let manager = try ServiceManager()
        let swarm = try ProxySwarm(
            seed: seed,
            concurrency: concurrency,
            isBulk: isBulk,
            manager: manager
        )
        // Run until there were some restarts, however short the sessions are.
        repeat { try swarm.run(sessionCount) } while swarm.failures == [] && swarm.restartCount < 3
        #expect(swarm.failures == [])
        try swarm.daemon.program.waitForStandardError(containing: "is ready")
        try swarm.daemon.waitForNoSession()
        let log = try swarm.daemon.program.standardError
        #expect(!log.contains("; reasons: "), "\(log)")
        try manager.end()
    }

    @Test("across restarts, every byte and then end of file arrives in order")
    func keepsModel() throws {
        try run(isSanitized ? 200 : 800, concurrency: 200, isBulk: false)
    }

    @Test("bulk data, which passes through pipes, arrives in order as well")
    func keepsModelOfBulk() throws {
        try run(isSanitized ? 20 : 60, concurrency: 32, isBulk: true)
    }
}
