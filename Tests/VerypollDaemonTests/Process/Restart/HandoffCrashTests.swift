internal import CTestSupport
internal import Glibc
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

// Serialized, because a stopped thread resumes when the thread that stopped it exits.
@Suite("Crash during the handoff", .serialized)
struct HandoffCrashTests {
    @Test("sessions already in the store continue, and the log counts the others as lost")
    func restoresComplete() throws {
        let manager = try ServiceManager()
        var daemon = try TestDaemon(
            // With a socket each, both workers get some of the sessions.
            serving("echo", #", "socket": {"reusePort": true}"#),
            more: #""restart": {"keepSessions": true},"#,
            manager: manager
        )
        let clients = try (0..<40).map { _ in Held(try daemon.connect()) }
        for held in clients {
            try held.client.send("one")
            #expect(try held.client.receive(exactly: 3) == Array("one".utf8))
        }
        let sessions = try daemon.sessions()
        try #require(sessions.count == clients.count)
        let kept = Set(sessions.filter { $0.worker == 0 }.map(\.id))
        let lostCount = sessions.count - kept.count
        try #require(!kept.isEmpty && lostCount > 0)

        try crash(daemon, manager)
        #expect(manager.names.filter { $0 == "verypolld sessions" }.count == 1)
        #expect(manager.names.filter { $0 == "verypolld ledger" }.count == 1)

        try daemon.start()
        try daemon.program.waitForStandardError(containing: "is ready")
        #expect(try Set(daemon.sessions().map(\.id)) == kept)
        let log = try daemon.program.standardError
        #expect(log.contains(" and \(kept.count) sessions; \(lostCount) sessions lost"), "\(log)")
        var servedCount = 0
        for held in clients {
            try? held.client.send("two")
            if (try? held.client.receive(exactly: 3)) == Array("two".utf8) { servedCount += 1 }
        }
        #expect(servedCount == kept.count)
        try eventually("the store to contain the sockets only") {
            manager.names.allSatisfy { $0.hasPrefix("verypolld listener") }
        }
        try manager.end()
    }

    /// Makes the daemon crash after the sessions of worker 0 are stored and before worker 1 begins.
    private func crash(_ daemon: borrowing TestDaemon, _ manager: ServiceManager) throws {
        let thread = try daemon.threadID(ofWorker: 1)
        guard ctest_stop_thread(thread) == 0 else { throw Errno(rawValue: errno) }
        var isStopped = true
        defer { if isStopped { ctest_resume_thread(thread) } }
        try daemon.stop(forRestart: true)
        try eventually("the first sessions to be stored") {
            manager.names.contains("verypolld sessions")
        }
        // The exit of a traced thread would wait for its tracer; here it stops with the whole
        // process instead.
        try daemon.program.send(SIGSTOP)
        ctest_resume_thread(thread)
        isStopped = false
        try daemon.program.freeze()
        try daemon.program.send(SIGKILL)
        #expect(try daemon.program.waitForExit() == .signal(SIGKILL))
    }
}
