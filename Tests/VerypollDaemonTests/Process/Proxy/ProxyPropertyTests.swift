internal import Glibc
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

/// Runs random schedules on both ends of many sessions; the model of a session is what its ends
/// have done so far.
///
/// Set `VERYPOLL_PROXY_SESSIONS` to the number of sessions, and `VERYPOLL_PROXY_SEED` to a seed;
/// otherwise the seed is random, and a failure reports it.
@Suite("Proxy: random schedules", .serialized)
struct ProxyPropertyTests {
    private static func variable(_ name: String) -> UInt64? {
        unsafe getenv(name).flatMap { unsafe UInt64(String(cString: $0)) }
    }

    /// Returns a difference in the counters of a listener without open sessions, or `nil`.
    private func problem(of listener: Status.Listener, _ slot: ProxySwarm.Slot) -> String? {
        let counted = (listener.accepted, listener.rejected, listener.active)
        guard counted == (slot.started, 0, 0) else {
            return "accepted, rejected, active: \(counted) in place of \(slot.started), 0, 0"
        }
        let bytes = (listener.bytesIn, listener.bytesOut)
        let isRight =
            slot.mayBreak
            ? (slot.receivedByServers...slot.sentByClients).contains(bytes.0)
                && (slot.receivedByClients...slot.sentByServers).contains(bytes.1)
            : bytes == (slot.sentByClients, slot.sentByServers)
        return isRight
            ? nil : "bytes: \(bytes) where \((slot.sentByClients, slot.sentByServers)) were sent"
    }

    private func expectNothingLeft(_ swarm: ProxySwarm, descriptors: Int) throws {
        try swarm.daemon.waitForNoSession()
        #expect(try swarm.daemon.sessions() == [])
        for listener in try swarm.daemon.status().listeners {
            let index = try #require(Int(listener.name))
            #expect(problem(of: listener, swarm.slots[index]) == nil, "listener \(index)")
        }
        // Each of the two workers keeps 16 pipes for later sessions.
        try eventually("the descriptors to be closed") {
            try swarm.daemon.program.openDescriptorCount() <= descriptors + 2 * 2 * 16
        }
        #expect(try swarm.daemon.program.exit == nil)
    }

    @Test(
        """
        whatever the two ends do, every byte and then end of file arrives in order, and nothing of \
        the sessions is left
        """
    )
    func keepsModel() throws {
        let seed = Self.variable("VERYPOLL_PROXY_SEED") ?? .random(in: 0 ... .max)
        let count = Self.variable("VERYPOLL_PROXY_SESSIONS").map { Int($0) }
        let swarm = try ProxySwarm(seed: seed, concurrency: 200)
        let descriptors = try swarm.daemon.program.openDescriptorCount()
        try swarm.run(count ?? (isSanitized ? 500 : 2000))
        #expect(swarm.failures == [])
        try expectNothingLeft(swarm, descriptors: descriptors)
        #expect(swarm.broken > 0 && swarm.byteCount > 0)
        if count != nil {
            print(swarm.summary)
        }
    }

    @Test("the same is true if each client's ClientHello chooses the upstream")
    func keepsModelOfInspection() throws {
        let seed = Self.variable("VERYPOLL_PROXY_SEED") ?? .random(in: 0 ... .max)
        let count = Self.variable("VERYPOLL_PROXY_SESSIONS").map { Int($0) }
        let swarm = try ProxySwarm(seed: seed, concurrency: 200, inspects: true)
        let descriptors = try swarm.daemon.program.openDescriptorCount()
        try swarm.run(count ?? (isSanitized ? 250 : 1000))
        #expect(swarm.failures == [])
        try expectNothingLeft(swarm, descriptors: descriptors)
        #expect(swarm.broken > 0 && swarm.byteCount > 0)
        if count != nil {
            print(swarm.summary)
        }
    }

    @Test("nothing is left of sessions that both ends break while the daemon is stopped at times")
    func keepsModelOfBreaks() throws {
        let seed = Self.variable("VERYPOLL_PROXY_SEED") ?? .random(in: 0 ... .max)
        let count = Self.variable("VERYPOLL_PROXY_SESSIONS").map { Int($0) }
        let swarm = try ProxySwarm(seed: seed, concurrency: 200, isRough: true)
        let descriptors = try swarm.daemon.program.openDescriptorCount()
        try swarm.run(count ?? (isSanitized ? 500 : 2000))
        #expect(swarm.failures == [])
        try expectNothingLeft(swarm, descriptors: descriptors)
        #expect(swarm.broken > swarm.started / 2)
        if count != nil {
            print(swarm.summary)
        }
    }

    @Test("bulk data, which passes through pipes, arrives in order as well")
    func keepsModelOfBulk() throws {
        let seed = Self.variable("VERYPOLL_PROXY_SEED") ?? .random(in: 0 ... .max)
        let count = Self.variable("VERYPOLL_PROXY_SESSIONS").map { Int($0 / 20) }
        let swarm = try ProxySwarm(seed: seed, concurrency: 32, isBulk: true)
        let descriptors = try swarm.daemon.program.openDescriptorCount()
        try swarm.run(count ?? (isSanitized ? 40 : 120))
        #expect(swarm.failures == [])
        try expectNothingLeft(swarm, descriptors: descriptors)
        // Kept pipes show that pipes were used.
        try eventually("pipes to be kept") {
            try swarm.daemon.program.openDescriptorCount() > descriptors + 1
        }
        if count != nil {
            print(swarm.summary)
        }
    }
}
