internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("Proxy: timeouts")
struct ProxyTimeoutTests {
    /// Returns whether a byte passes from one end to the other.
    ///
    /// Returns `false` if the machine stalls until the session has timed out; the test then starts
    /// over.
    private func isActivated(from sender: Held, to receiver: Held) -> Bool {
        do throws(Errno) {
            try sender.client.send("?")
            return try receiver.client.receive(exactly: 1) == Array("?".utf8)
        } catch {
            return false
        }
    }

    private func areGreeted(_ client: Held, _ server: Held) -> Bool {
        isActivated(from: client, to: server) && isActivated(from: server, to: client)
    }

    /// Expects both connections to end, and not before `span` has passed.
    private func expectEnd(
        of client: Held,
        _ server: Held,
        after span: Duration,
        since beginning: ContinuousClock.Instant
    ) throws {
        #expect(try client.client.receiveToEnd() == [])
        #expect(try server.client.receiveToEnd() == [])
        #expect(ContinuousClock.now - beginning >= span)
    }

    @Test("firstByte ends a session in which neither end speaks", arguments: Sides.all)
    func endsSilent(sides: Sides) throws {
        let lab = try ProxyLab(sides, timeouts: #""firstByte": "300ms""#)
        let beginning = ContinuousClock.now
        let (client, server) = try lab.join().share()
        try expectEnd(of: client, server, after: .milliseconds(300), since: beginning)
        try lab.waitForNothing()
    }

    @Test("one byte from either end satisfies firstByte", arguments: [true, false])
    func sparesSpeakers(clientSpeaks: Bool) throws {
        let lab = try ProxyLab(timeouts: #""firstByte": "300ms""#)
        let (client, server) = try eventually("a byte in time") {
            let (client, server) = try lab.join().share()
            let (speaker, listener) = clientSpeaks ? (client, server) : (server, client)
            return isActivated(from: speaker, to: listener) ? (client, server) : nil
        }
        // The silent session began later, and its time has passed.
        let silent = try lab.join()
        #expect(try silent.client.receiveToEnd() == [])
        #expect(areGreeted(client, server))
    }

    @Test("idle ends a session over which no more bytes pass", arguments: Sides.all)
    func endsIdle(sides: Sides) throws {
        let lab = try ProxyLab(sides, timeouts: #""idle": "300ms""#)
        try eventually("a session that speaks in time") {
            let (client, server) = try lab.join().share()
            guard areGreeted(client, server) else { return false }
            let beginning = ContinuousClock.now
            guard areGreeted(client, server) else { return false }
            try expectEnd(of: client, server, after: .milliseconds(300), since: beginning)
            return true
        }
        try lab.waitForNothing()
    }

    @Test("bytes from either end postpone idle", arguments: [true, false])
    func postponesIdle(clientSpeaks: Bool) throws {
        let lab = try ProxyLab(timeouts: #""idle": "1s""#)
        try eventually("a session that always speaks in time") {
            try outlivesIdle(clientSpeaks, lab)
        }
    }

    /// Returns whether a session with continuous traffic outlives an idle one; if not, the machine
    /// stalled for longer than `idle`.
    private func outlivesIdle(_ clientSpeaks: Bool, _ lab: borrowing ProxyLab) throws -> Bool {
        let beginning = ContinuousClock.now
        let idle = try lab.join()
        let (client, server) = try lab.join().share()
        let (speaker, listener) = clientSpeaks ? (client, server) : (server, client)
        // Continue until the idle session has ended, and then for its timeout once more.
        var end: ContinuousClock.Instant?
        while end.map({ ContinuousClock.now < $0 }) ?? true {
            guard isActivated(from: speaker, to: listener) else { return false }
            if end == nil, try idle.client.receiveNow() == [] { end = .now + .seconds(1) }
        }
        #expect(ContinuousClock.now - beginning >= .seconds(2))
        try lab.daemon.waitForTotals("one session to be left") { $0.active == 1 }
        return true
    }

    @Test(
        "halfClosed ends a session after one direction has been closed for that long",
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
        try eventually("a flood in time") {
            let beginning = ContinuousClock.now
            let (client, server) = try lab.join().share()
            let flooding = ConcurrentWork {
                // Sends until the connection is closed.
                while (try? server.client.sendSome(Noise.slice(10_000, at: 0))) != nil {}
            }
            let isAny = receivesBytes(client.client)
            #expect(ContinuousClock.now - beginning >= .seconds(2))
            try flooding.join()
            return isAny
        }
        try lab.waitForNothing()
    }

    /// Receives until end of file or an error; returns whether there was a byte before.
    private func receivesBytes(_ client: borrowing Client) -> Bool {
        var isAny = false
        do throws(Errno) {
            while try !client.receive().isEmpty { isAny = true }
        } catch {}
        return isAny
    }
}
