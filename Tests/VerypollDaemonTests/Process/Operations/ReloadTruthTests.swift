internal import CTestSupport
internal import Glibc
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

// Serialized, because a stopped thread resumes when the thread that stopped it exits.
@Suite("Control calls while a worker is stalled", .serialized)
struct ReloadTruthTests {
    /// The longest time that a call waited for a worker in earlier releases before it answered
    /// `Busy`.
    private static let formerPatience = Duration.seconds(5)

    @Test("a reload is answered once every worker has applied it, however long one is stalled")
    func reloads() throws {
        let daemon = try TestDaemon(serving("echo"))
        try daemon.rewrite(serving("echo", #", "maxSessions": 7"#))
        var caller = try ControlPeer(path: daemon.controlPath)
        try stall(daemon) { try caller.client.send(ControlPeer.message(Self.reload)) }
        let reply = try caller.reply(ChangeList.self)
        #expect(reply.error == nil)
        #expect(reply.parameters?.changes.map(\.pointer) == ["/listeners/echo/maxSessions"])
    }

    @Test("a drain is answered once every worker has applied it")
    func drains() throws {
        let daemon = try TestDaemon(serving("echo"))
        var caller = try ControlPeer(path: daemon.controlPath)
        try stall(daemon) {
            try caller.client.send(ControlPeer.message("io.verypoll.Daemon.Drain"))
        }
        #expect(try caller.reply(ControlPeer.ErrorParameters.self).error == nil)
    }

    private static let reload = "io.verypoll.Daemon.Reload"

    /// Stops a worker, runs `order`, and resumes the worker after a while, during which other calls
    /// are answered.
    private func stall(_ daemon: borrowing TestDaemon, _ order: () throws -> Void) throws {
        let thread = try daemon.threadID(ofWorker: 1)
        guard ctest_stop_thread(thread) == 0 else { throw Errno(rawValue: errno) }
        defer { ctest_resume_thread(thread) }
        try order()
        let end = ContinuousClock.now + Self.formerPatience + .seconds(1)
        while ContinuousClock.now < end {
            #expect(try daemon.status().pid == Int(daemon.program.processID))
            pause(milliseconds: 200)
        }
    }
}
