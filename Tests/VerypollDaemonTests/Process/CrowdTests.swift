internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("Many clients")
struct CrowdTests {
    @Test(
        """
        10,000 clients, 100 at a time, get every byte back in order, and afterwards sessions, \
        descriptors and memory are as before
        """
    )
    func servesCrowd() throws {
        let daemon = try TestDaemon(serving("echo"))
        var crowd = EchoCrowd(address: try daemon.address(), clientCount: 1000, sizes: 1...1 << 20)
        crowd.concurrency = 100
        crowd.longestPause = 20
        // One-time allocations, such as the buffers that a worker keeps, are not part of the
        // measurement.
        let warmUp = try crowd.run()
        #expect(warmUp.failures == [])
        try daemon.waitForNoSession()
        try daemon.waitForTotals("the first crowd") { $0.bytesOut == warmUp.byteCount }
        let before = try daemon.status().totals
        let descriptors = try daemon.program.openDescriptorCount()
        let memory = try daemon.program.residentByteCount()

        crowd.clientCount = 10_000
        let outcome = try crowd.run()
        #expect(outcome.failures == [])
        #expect(outcome.completed == 10_000)
        #expect(outcome.byteCount > 500_000_000)
        try daemon.waitForNoSession()
        try daemon.waitForTotals("the clients' sessions and bytes") {
            $0.accepted - before.accepted == 10_000
                && $0.bytesIn - before.bytesIn == outcome.byteCount
                && $0.bytesOut - before.bytesOut == outcome.byteCount
        }
        #expect(try daemon.status().totals.rejected == 0)
        // The descriptor of the control connection may not be closed yet.
        try eventually("the descriptors to be closed") {
            try daemon.program.openDescriptorCount() <= descriptors + sanitizerDescriptorCount
        }
        let growth = try daemon.program.residentByteCount() - memory
        #expect(isSanitized || growth <= 1 << 20, "\(growth) bytes")
    }
}
