internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("echo, in a running daemon")
struct EchoTests {
    static let addresses = ["127.0.0.1:0", "[::1]:0", "unix:DIR/echo", "unix:@verypoll-DIR"]

    @Test("echo returns all bytes and then end of file", arguments: addresses)
    func echoes(address: String) throws {
        let daemon = try TestDaemon(serving("echo", listen: address))
        let client = try daemon.connect()
        try client.send("hello\n")
        #expect(try client.receive(exactly: 6) == Array("hello\n".utf8))
        try client.send("world")
        try client.finishSending()
        #expect(try client.receiveToEnd() == Array("world".utf8))
        try daemon.waitForNoSession()
    }

    @Test("a half-closed client still receives all of 5 MiB", arguments: addresses)
    func answersHalfClose(address: String) throws {
        let daemon = try TestDaemon(serving("echo", listen: address))
        let crowd = EchoCrowd(
            address: try daemon.address(),
            clientCount: 1,
            sizes: (5 << 20)...(5 << 20)
        )
        let outcome = try crowd.run()
        #expect(outcome == EchoCrowd.Outcome(completed: 1, byteCount: 5 << 20))
        try daemon.waitForNoSession()
        try daemon.waitForTotals("5 MiB in each direction") {
            $0.bytesIn == 5 << 20 && $0.bytesOut == 5 << 20
        }
    }

    @Test("a client that ends only after it has received everything reads end of file")
    func endsLast() throws {
        let daemon = try TestDaemon(serving("echo"))
        var crowd = EchoCrowd(address: try daemon.address(), clientCount: 20, sizes: 1...300_000)
        crowd.concurrency = 10
        crowd.finishesEarly = false
        let outcome = try crowd.run()
        #expect(outcome.failures == [])
        #expect(outcome.completed == 20)
        try daemon.waitForNoSession()
    }
}
