internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("Control socket: a thousand misbehaving clients", .serialized)
struct MisconductTests {
    @Test(
        """
        sessions and well-behaved calls are served meanwhile, and descriptors and memory recover \
        afterwards
        """
    )
    func bears() throws {
        try raiseDescriptorLimit(toAtLeast: 4096)
        let daemon = try TestDaemon(serving("echo"))
        let address = try daemon.address()
        let live = try Client(address: address)
        try live.send("?")
        #expect(try live.receive(exactly: 1) == [0x3F])
        let descriptors = try daemon.program.openDescriptorCount()

        let misconduct = Misconduct(path: daemon.controlPath, count: 1000)
        var answered = 0
        try misconduct.run {
            try eventually("many clients to have connected") {
                try expectService(live, address)
                return misconduct.connectionCount >= 300
            }
            try eventually("three answers") {
                try expectService(live, address)
                // The status call may be evicted among so many clients; then try again.
                if let status = try? daemon.status(), status.state == .running { answered += 1 }
                return answered >= 3
            }
        }
        try eventually("all but the live session to end") { try daemon.status().totals.active == 1 }
        try eventually("their descriptors to be closed") {
            try daemon.program.openDescriptorCount() <= descriptors + sanitizerDescriptorCount
        }
        if !isSanitized {
            #expect(try daemon.program.residentByteCount() < 128 << 20)
        }
    }

    /// Expects that a live session and a new, short session are both served.
    private func expectService(_ live: borrowing Client, _ address: String) throws {
        try expectEcho("live", from: live)
        try expectEcho("new", from: try Client(address: address))
    }
}
