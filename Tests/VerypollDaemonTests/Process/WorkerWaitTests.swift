internal import Foundation
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("How workers wait")
struct WorkerWaitTests {
    /// The number of clients; a client sends its next message when the previous one is answered.
    private static let clientCount = 64

    /// How many samples of a worker are taken while messages flow.
    private static let samples = 10_000

    @Test("a worker sleeps only in its poll while small messages arrive one by one")
    func sleepsInPollOnly() throws {
        let daemon = try TestDaemon(serving("echo"), workers: 1)
        let clients = try (0..<Self.clientCount).map { _ in Held(try daemon.connect()) }
        let end = Flag()
        let traffic = ConcurrentWork {
            while !end.isSet {
                for held in clients {
                    try held.client.send("?")
                    #expect(try held.client.receive(exactly: 1) == Array("?".utf8))
                }
            }
        }
        defer { end.set() }
        try eventually("messages to flow") { try daemon.status().totals.bytesOut > 0 }
        // The kernel function in which the thread is blocked; see proc(5).
        let thread = try daemon.threadID(ofWorker: 0)
        let file = "/proc/\(daemon.program.processID)/task/\(thread)/wchan"
        var seen: Set<String> = []
        for _ in 0..<Self.samples {
            seen.insert(try String(contentsOfFile: file, encoding: .utf8))
        }
        end.set()
        try traffic.join()
        #expect(!seen.contains { $0.contains("nanosleep") }, "\(seen.sorted())")
        try eventually("the idle worker to wait in its poll") {
            try String(contentsOfFile: file, encoding: .utf8).contains("poll")
        }
    }
}
