internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("Back-pressure")
struct BackPressureTests {
    /// Sends until the kernel accepts no more, and returns the number of bytes that it accepted, at
    /// most one block over the limit.
    private func fill(
        _ client: borrowing Client,
        with block: [UInt8],
        limit: Int = .max
    ) throws -> Int {
        var sent = 0
        while sent < limit, let count = try client.sendNow(block[...]) { sent += count }
        return sent
    }

    @Test("a client that sends 1 GiB to echo and never reads costs less than 1 MiB of memory")
    func stallsWriter() throws {
        let daemon = try TestDaemon(serving("echo"))
        let address = try daemon.address()
        // One-time allocations for the first sessions are not part of this measurement.
        _ = try EchoCrowd(address: address, clientCount: 4, sizes: 1000...1000).run()
        try daemon.waitForNoSession()
        let memory = try daemon.program.residentByteCount()
        do {
            let client = try Client(address: address)
            let block = [UInt8](repeating: 0x41, count: 1 << 18)
            var sent = 0
            try eventually("the session to have parked bytes and to stop reading") {
                let count = try fill(client, with: block, limit: 1 << 30 - sent)
                sent += count
                let sessions = try daemon.sessions()
                return count == 0 && sessions.count == 1 && sessions[0].buffered > 0
            }
            // The two kernel buffers of each direction hold this much by default (tcp_rmem,
            // tcp_wmem).
            #expect(sent < 64 << 20)
            let session = try daemon.sessions()[0]
            #expect(session.bytesIn == session.bytesOut + session.buffered)
            let growth = try daemon.program.residentByteCount() - memory
            #expect(isSanitized || growth < 1 << 20, "\(growth) bytes")
        }
        try daemon.waitForNoSession()
    }

    /// Few clients over TCP, because the kernel itself buffers megabytes for each of them.
    @Test(
        "each client that never reads costs one 64 KiB buffer, which is freed afterwards",
        arguments: [("127.0.0.1:0", 20), ("unix:DIR/echo", 200)]
    )
    func boundsManyWriters(listen: String, count: Int) throws {
        let daemon = try TestDaemon(serving("echo", listen: listen))
        let address = try daemon.address()
        _ = try EchoCrowd(address: address, clientCount: 4, sizes: 1000...1000).run()
        try daemon.waitForNoSession()
        let memory = try daemon.program.residentByteCount()
        do {
            let stalled = try (0..<count).map { _ in Held(try Client(address: address)) }
            defer { withExtendedLifetime(stalled) {} }
            let block = [UInt8](repeating: 0x42, count: 1 << 20)
            var sent = [Int](repeating: 0, count: count)
            try eventually("all clients to be stalled") {
                for index in sent.indices {
                    sent[index] += try fill(stalled[index].client, with: block)
                }
                return try daemon.sessions().filter { $0.buffered > 0 }.count == count
            }
            let sessions = try daemon.sessions()
            #expect(!sessions.contains { $0.buffered > 65_536 })
            let growth = try daemon.program.residentByteCount() - memory
            let bound = count * 65_536 + 1_048_576
            #expect(isSanitized || growth < bound, "\(growth) bytes")
            // One client that reads again receives all its bytes while the others stay stalled.
            let middle = count / 2
            let received = try stalled[middle].client.receive(exactly: sent[middle])
            #expect(received == [UInt8](repeating: 0x42, count: sent[middle]))
        }
        try daemon.waitForNoSession()
        // Each of the two workers keeps 8 buffers for later sessions.
        try eventually("the memory to be freed") {
            try isSanitized || daemon.program.residentByteCount() - memory < 2_097_152
        }
    }

    @Test("chargen stops for a client that stops reading")
    func stallsGenerator() throws {
        let daemon = try TestDaemon(serving("chargen"))
        let client = try daemon.connect(to: "chargen")
        var sent = -1
        try eventually("chargen to be stalled") {
            let present = try daemon.status().totals.bytesOut
            defer { sent = present }
            return present > 0 && present == sent
        }
        #expect(sent < 64 << 20)
        #expect(try client.receive(exactly: sent + 1000) == characterPattern(sent + 1000))
    }
}
