internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("Memory per session")
struct FootprintTests {
    /// Opens echo sessions, each of which has sent and received 64 bytes.
    private func open(_ count: Int, at address: String) throws -> [Held] {
        let bytes = [UInt8](0..<64)
        return try (0..<count).map { _ in
            let client = try Client(address: address)
            try client.send(bytes)
            #expect(try client.receive(exactly: 64) == bytes)
            return Held(client)
        }
    }

    #if PollSelector
    // poll(2) needs an entry for each descriptor.
    private static let limit = 480
    #else
    private static let limit = 400
    #endif

    @Test("5,000 idle sessions cost less than 400 bytes each of resident memory, 480 with poll(2)")
    func keepsIdleSessionsSmall() throws {
        try raiseDescriptorLimit(toAtLeast: 16_000)
        let daemon = try TestDaemon(serving("echo"))
        let address = try daemon.address()
        // These sessions stay open, so that the 5,000 need new slots. One-time allocations for the
        // first sessions are not counted.
        let first = try open(200, at: address)
        defer { withExtendedLifetime(first) {} }
        let memory = try daemon.program.residentByteCount()
        let idle = try open(5000, at: address)
        defer { withExtendedLifetime(idle) {} }
        #expect(try daemon.status().totals.active == first.count + idle.count)
        let growth = try daemon.program.residentByteCount() - memory
        #expect(
            isSanitized || growth < Self.limit * idle.count,
            "\(Double(growth) / Double(idle.count)) bytes each"
        )
        // The sessions still work.
        for held in [first[0], idle[0], idle[4999]] {
            try held.client.send("alive")
            #expect(try held.client.receive(exactly: 5) == Array("alive".utf8))
        }
    }
}
