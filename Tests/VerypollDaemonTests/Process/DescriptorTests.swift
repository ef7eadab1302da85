internal import Glibc
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("Shortage of descriptors")
struct DescriptorTests {
    /// Measures the share of one CPU that the daemon uses over at least two seconds.
    private func measureLoad(of daemon: borrowing TestDaemon) throws -> Double {
        let before = try daemon.program.processorTime()
        let beginning = ContinuousClock.now
        // This is the measured interval; nothing is awaited.
        sleep(2)
        let used = try daemon.program.processorTime() - before
        return used / (ContinuousClock.now - beginning)
    }

    /// Waits until exactly `count` of the clients have received their byte back.
    ///
    /// - Returns: The indices of these clients.
    /// - Throws: ``TimedOut``.
    private func waitForAnswers(_ count: Int, of clients: [Held]) throws -> Set<Int> {
        var served: Set<Int> = []
        try eventually("\(count) clients to be served") {
            for index in clients.indices where !served.contains(index) {
                if try clients[index].client.receiveNow() != nil { served.insert(index) }
            }
            return served.count >= count
        }
        #expect(served.count == count)
        return served
    }

    private func crowd(_ count: Int, at address: String) throws -> [Held] {
        try (0..<count).map { _ in
            let client = try Client(address: address)
            try client.send("?")
            return Held(client)
        }
    }

    @Test("with 64 descriptors, 200 clients wait their turn while the daemon uses little CPU time")
    func livesWithFew() throws {
        let daemon = try TestDaemon(
            serving("echo"),
            launcher: ["prlimit", "--nofile=64:64"]
        )
        let limit = try daemon.status().totals.maxSessions
        #expect((1..<64).contains(limit))
        var clients = try crowd(200, at: daemon.address())
        defer { withExtendedLifetime(clients) {} }
        let served = try waitForAnswers(limit, of: clients)
        // A client is served before its worker accepts the next one. The status call's descriptor
        // may leave a worker short of one; the worker retries within seconds.
        let reason = "the limit of \(limit) sessions in all is reached"
        try eventually("the listener to pause at the limit") {
            try daemon.status().listeners[0].stateReason == reason
        }
        let status = try daemon.status()
        #expect(status.totals.active == limit)
        #expect(status.totals.rejected == 0)
        #expect(status.listeners[0].state == .paused)
        #expect(status.note == "echo paused: \(reason)")
        #expect(try measureLoad(of: daemon) < 0.05)
        #expect(try daemon.program.exit == nil)

        // As clients leave, every waiting client is served.
        clients = clients.indices.filter { !served.contains($0) }.map { clients[$0] }
        try eventually("all 200 clients to be served") {
            clients = try clients.filter { held in try held.client.receiveNow() == nil }
            return try daemon.status().totals.accepted == 200 && clients.isEmpty
        }
        try daemon.waitForNoSession()
        try eventually("the listener to accept") {
            try daemon.status().listeners[0].state == .accepting
        }
        #expect(try daemon.status().note == nil)
    }

    @Test("when accept fails for lack of descriptors, the listener pauses, waits and resumes")
    func pausesWithNone() throws {
        let daemon = try TestDaemon(serving("echo"))
        let room = 20
        // Connected before the shortage, as the control client of an operator would have to be.
        var control = try ControlPeer(path: daemon.controlPath)
        let calm: Status = try control.result("io.verypoll.Daemon.GetStatus")
        let address = calm.listeners[0].addresses[0].address
        let lowered = try daemon.program.openDescriptorCount() + room
        let result = try Program.run(
            "prlimit",
            ["--pid", "\(daemon.program.processID)", "--nofile=\(lowered):\(lowered)"]
        )
        #expect(result.exit == .code(0))
        var clients = try crowd(100, at: address)
        defer { withExtendedLifetime(clients) {} }
        try daemon.program.waitForStandardError(containing: "out of file descriptors or memory")
        // One worker may be out of descriptors while the other still accepts a session with the
        // last one, and each worker retries from time to time.
        let status = try eventually("the listener to pause with all descriptors in use") {
            () -> Status? in
            let status: Status = try control.result("io.verypoll.Daemon.GetStatus")
            let isFull = status.totals.active == room && status.listeners[0].state == .paused
            return isFull && status.note != nil ? status : nil
        }
        #expect(status.listeners[0].stateReason == "out of file descriptors or memory")
        #expect(status.note == "echo paused: out of file descriptors or memory")
        #expect(try measureLoad(of: daemon) < 0.05)
        #expect(try daemon.program.exit == nil)
        #expect(try daemon.program.openDescriptorCount() == lowered)

        try eventually("all 100 clients to be served") {
            clients = try clients.filter { held in try held.client.receiveNow() == nil }
            return clients.isEmpty
        }
        try daemon.waitForNoSession()
        try eventually("the listener to accept") {
            try daemon.status(of: "echo").state == .accepting
        }
        let client = try Client(address: address)
        try client.send("again")
        #expect(try client.receive(exactly: 5) == Array("again".utf8))
    }
}
