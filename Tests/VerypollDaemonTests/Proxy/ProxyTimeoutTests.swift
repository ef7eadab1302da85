#if Net && OSExt
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("proxy: timeouts")
struct ProxyTimeoutTests {
    /// Expects the end of both connections, and that it did not come before `span` was over.
    private func expectEnd(
        of joined: borrowing Joined,
        after span: Duration,
        since beginning: ContinuousClock.Instant
    ) throws {
        #expect(try joined.client.receiveToEnd() == [])
        #expect(try joined.server.receiveToEnd() == [])
        #expect(ContinuousClock.now - beginning >= span)
    }

    @Test("firstByte ends a session in which nobody speaks", arguments: Sides.all)
    func endsSilent(sides: Sides) throws {
        let lab = try ProxyLab(sides, timeouts: #""firstByte": "300ms""#)
        let beginning = ContinuousClock.now
        let joined = try lab.join()
        try expectEnd(of: joined, after: .milliseconds(300), since: beginning)
        try lab.waitForNothing()
    }

    @Test("one byte of either is enough for firstByte", arguments: [true, false])
    func sparesSpeakers(clientSpeaks: Bool) throws {
        let lab = try ProxyLab(timeouts: #""firstByte": "300ms""#)
        let speaker = try lab.join()
        if clientSpeaks {
            try speaker.client.send("?")
            #expect(try speaker.server.receive(exactly: 1) == Array("?".utf8))
        } else {
            try speaker.server.send("!")
            #expect(try speaker.client.receive(exactly: 1) == Array("!".utf8))
        }
        // It began later, and its time is over.
        let silent = try lab.join()
        #expect(try silent.client.receiveToEnd() == [])
        try speaker.greet()
    }

    @Test("idle ends a session over which nothing goes any more", arguments: Sides.all)
    func endsIdle(sides: Sides) throws {
        let lab = try ProxyLab(sides, timeouts: #""idle": "300ms""#)
        let joined = try lab.join()
        try joined.greet()
        let beginning = ContinuousClock.now
        try joined.greet()
        try expectEnd(of: joined, after: .milliseconds(300), since: beginning)
        try lab.waitForNothing()
    }

    @Test("bytes of either postpone idle", arguments: [true, false])
    func postponesIdle(clientSpeaks: Bool) throws {
        let lab = try ProxyLab(timeouts: #""idle": "1s""#)
        let beginning = ContinuousClock.now
        let idle = try lab.join()
        let (client, server) = try lab.join().share()
        let (speaker, listener) = clientSpeaks ? (client, server) : (server, client)
        // Until the idle one has been ended, and then for its time once more.
        var end: ContinuousClock.Instant?
        while end.map({ ContinuousClock.now < $0 }) ?? true {
            try speaker.client.send("?")
            #expect(try listener.client.receive(exactly: 1) == [0x3F])
            if end == nil, try idle.client.receiveNow() == [] { end = .now + .seconds(1) }
        }
        #expect(ContinuousClock.now - beginning >= .seconds(2))
        #expect(try lab.daemon.status().totals.active == 1)
    }

    @Test(
        "halfClosed ends a session when one way has ended for so long",
        arguments: Sides.all,
        [true, false]
    )
    func endsHalfClosed(sides: Sides, clientEnds: Bool) throws {
        let lab = try ProxyLab(sides, timeouts: #""halfClosed": "300ms""#)
        let (client, server) = try lab.join().share()
        let (first, second) = clientEnds ? (client, server) : (server, client)
        let beginning = ContinuousClock.now
        try first.client.finishSending()
        #expect(try second.client.receive() == [])
        #expect(try first.client.receive() == [])
        #expect(ContinuousClock.now - beginning >= .milliseconds(300))
        try lab.waitForNothing()
    }

    @Test("lifetime ends a session whatever it does", arguments: Sides.all)
    func endsOld(sides: Sides) throws {
        let lab = try ProxyLab(sides, timeouts: #""lifetime": "2s""#)
        let beginning = ContinuousClock.now
        let (client, server) = try lab.join().share()
        let flooding = ConcurrentWork {
            // Until the connection is gone.
            while (try? server.client.sendSome(Noise.slice(10_000, at: 0))) != nil {}
        }
        let reception = client.client.receiveAll()
        #expect(ContinuousClock.now - beginning >= .seconds(2))
        #expect(!reception.bytes.isEmpty)
        try flooding.join()
        try lab.waitForNothing()
    }
}
#endif
