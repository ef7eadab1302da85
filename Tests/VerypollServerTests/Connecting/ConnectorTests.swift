import SystemPackage
import Testing

@testable import VerypollServer

/// A connector, and what it is told of its upstream.
private struct Search {
    var connector: Connector
    var facts: Connector.Facts
    /// The servers that can be chosen.
    var choosable: Set<Int>

    /// Makes a search at millisecond 1,000 with one server that has one address.
    init(servers: Int = 1, addresses: Int = 1, retryFor: UInt64 = 0) {
        connector = Connector(upstream: 0, now: 1_000)
        facts = Connector.Facts(
            now: 1_000,
            connectTimeout: 800,
            retryFor: retryFor,
            addressCount: addresses
        )
        choosable = Set(0..<servers)
    }

    /// Hands over one event after the other and returns the action that follows the last.
    @discardableResult
    mutating func after(_ events: Connector.Event...) -> Connector.Action {
        var action = Connector.Action.nothing
        for event in events {
            lookAtServer(event)
            action = connector.handle(event, facts)
        }
        return action
    }

    /// Finds out the facts about the chosen server, as a worker does.
    private mutating func lookAtServer(_ event: Connector.Event) {
        var server = connector.server
        if case .serverChosen(let chosen) = event { server = chosen }
        guard let server else { return }
        facts.isServerChoosable = choosable.contains(server)
        facts.hasOtherServer = !choosable.subtracting([server]).subtracting(connector.tried).isEmpty
    }

    /// Goes on until the first attempt has begun.
    @discardableResult
    mutating func connect(to server: Int = 0) -> Connector.Action {
        after(.started, .placeReserved, .serverChosen(server), .attemptBegan(nanosecond: 7))
    }

    /// Fails the attempt and gives its server up.
    @discardableResult
    mutating func fail(_ error: Errno) -> Connector.Action {
        let action = after(.attemptFailed(error), .attemptClosed)
        guard case .giveUpServer = action else { return action }
        return after(.serverLeft)
    }

    /// Ends the session, and returns the actions that give everything back.
    mutating func end() -> [Connector.Action] {
        var actions: [Connector.Action] = []
        var action = after(.ended)
        while action != .nothing, actions.count < 9 {
            actions.append(action)
            switch action {
            case .leaveServer: action = after(.serverLeft)
            case .leaveQueue: action = after(.queueLeft)
            case .releasePlace: action = after(.placeReleased)
            default: return actions
            }
        }
        return actions
    }
}

@Suite("Connector")
struct ConnectorTests {
    @Test("a session reserves a place, chooses a server, connects, and returns both at its end")
    func connects() {
        var search = Search()
        #expect(search.after(.started) == .reservePlace)
        #expect(search.after(.placeReserved) == .chooseServer)
        #expect(search.after(.serverChosen(0)) == .connect(server: 0, address: 0))
        #expect(search.after(.attemptBegan(nanosecond: 7)) == .wait(until: 1_800))
        #expect(search.connector.phase == .connecting)
        #expect(search.connector.attemptedAt == 7)
        search.connector.succeed()
        #expect(search.connector.phase == .connected)
        #expect((search.connector.nextAt, search.connector.endsAt) == (.max, .max))
        #expect(search.end() == [.leaveServer(0), .releasePlace])
        #expect(search.end() == [])
    }

    @Test("a session that is not proxied has nothing to do and nothing to return")
    func isIdle() {
        var connector = Connector(upstream: nil, now: 1)
        #expect((connector.upstream, connector.server, connector.nextAt) == (nil, nil, .max))
        #expect(connector.handle(.ended, Search().facts) == .nothing)
    }

    @Test("if an attempt fails, the next address of the server is tried, in half of the time left")
    func triesAddresses() {
        var search = Search(addresses: 3)
        #expect(search.connect() == .wait(until: 1_400))
        search.facts.now = 1_200
        #expect(search.after(.attemptFailed(.connectionRefused)) == .closeAttempt)
        #expect(search.after(.attemptClosed) == .connect(server: 0, address: 1))
        #expect(search.after(.attemptBegan(nanosecond: 8)) == .wait(until: 1_500))
        #expect(search.fail(.connectionRefused) == .connect(server: 0, address: 2))
        #expect(search.after(.attemptBegan(nanosecond: 9)) == .wait(until: 1_800))
    }

    @Test("if no address of a server is left, the server is given up and another one chosen")
    func triesServers() {
        var search = Search(servers: 2)
        #expect(search.connect(to: 1) == .wait(until: 1_400))
        #expect(
            search.after(.attemptFailed(.connectionRefused), .attemptClosed) == .giveUpServer(1)
        )
        #expect(search.connector.tried == [1])
        #expect(search.after(.serverLeft) == .chooseServer)
        #expect(search.after(.serverChosen(0)) == .connect(server: 0, address: 0))
        #expect(search.after(.attemptBegan(nanosecond: 8)) == .wait(until: 1_800))
        search.connector.succeed()
        #expect(search.connector.tried == [])
        #expect(search.end() == [.leaveServer(0), .releasePlace])
    }

    @Test("if the name service has fewer addresses than before, the next server is chosen")
    func outlivesAddresses() {
        var search = Search(servers: 2, addresses: 2)
        search.connect()
        search.facts.addressCount = 1
        #expect(
            search.after(.attemptFailed(.connectionRefused), .attemptClosed) == .giveUpServer(0)
        )
    }

    @Test("without a server the session is given up, for the reason of the last attempt")
    func givesUp() {
        var search = Search()
        let none = Connector.Event.noServer(awaitsNames: false)
        #expect(search.after(.started, .placeReserved, none) == .giveUp(.down))
        #expect(search.end() == [.releasePlace])

        search = Search()
        search.connect()
        #expect(search.fail(.networkUnreachable) == .chooseServer)
        #expect(search.after(none) == .giveUp(.unreachable(.networkUnreachable)))
        #expect(search.connector.isSearching == false)
        #expect(search.end() == [.releasePlace])
    }

    @Test("an attempt whose time is over has timed out")
    func timesOut() {
        var search = Search(servers: 2)
        search.connect()
        search.facts.now = 1_401
        #expect(search.after(.timerFired) == .closeAttempt)
        #expect(search.after(.attemptClosed) == .giveUpServer(0))
        #expect(search.after(.serverLeft, .serverChosen(1)) == .connect(server: 1, address: 0))
        #expect(search.after(.attemptBegan(nanosecond: 8)) == .wait(until: 1_800))
        search.facts.now = 1_801
        #expect(search.after(.timerFired, .attemptClosed) == .giveUpServer(1))
        #expect(search.after(.serverLeft) == .giveUp(.unreachable(.timedOut)))
    }

    @Test("no attempt begins once the time to connect is over, though addresses are left")
    func stopsInTime() {
        var search = Search(servers: 3, addresses: 3)
        search.connect()
        search.facts.now = 1_800
        #expect(
            search.after(.attemptFailed(.connectionRefused), .attemptClosed) == .giveUpServer(0)
        )
        #expect(search.after(.serverLeft) == .giveUp(.unreachable(.connectionRefused)))
    }

    @Test("while retry.for lasts, the session pauses and then tries all servers again")
    func pauses() {
        var search = Search(retryFor: 10_000)
        search.connect()
        search.fail(.connectionRefused)
        let none = Connector.Event.noServer(awaitsNames: false)
        #expect(search.after(none) == .hold(until: 1_050))
        #expect((search.connector.phase, search.connector.endsAt) == (.pausing, 11_000))
        #expect(search.connector.tried == [])
        search.facts.now = 1_051
        #expect(search.after(.timerFired) == .chooseServer)
        #expect(search.connector.endsAt == 1_851)
        search.facts.now = 1_800
        #expect(search.after(none) == .hold(until: 2_000))  // A quarter of the time so far.
        search.facts.now = 8_000
        #expect(search.after(.retry, none) == .hold(until: 9_000))
        search.facts.now = 10_500
        #expect(search.after(.retry, .serverChosen(0)) == .connect(server: 0, address: 0))
        #expect(search.fail(.connectionRefused) == .chooseServer)
        #expect(search.after(none) == .hold(until: 11_000))
        search.facts.now = 11_001
        #expect(search.after(.timerFired) == .giveUp(.unreachable(.connectionRefused)))
    }

    @Test("a held session is given up for what its last round has found, not for earlier errors")
    func judgesByLastRound() {
        var search = Search(retryFor: 10_000)
        search.connect()
        search.fail(.connectionRefused)
        let none = Connector.Event.noServer(awaitsNames: false)
        #expect(search.after(none) == .hold(until: 1_050))
        search.facts.now = 1_051
        search.after(.timerFired, none)  // The checks have found the server down.
        search.facts.now = 11_001
        #expect(search.after(.timerFired) == .giveUp(.down))
        #expect(search.end() == [.releasePlace])
    }

    @Test("while names are being looked up, the session waits for as long as a connection may take")
    func awaitsNames() {
        var search = Search()
        let none = Connector.Event.noServer(awaitsNames: true)
        #expect(search.after(.started, .placeReserved, none) == .hold(until: 1_050))
        search.facts.now = 1_700
        #expect(search.after(.retry, none) == .hold(until: 1_800))
        search.facts.now = 1_801
        #expect(search.after(.timerFired) == .giveUp(.down))
    }

    @Test(
        "a shortage is no fault of the server, which is tried again from its first address on",
        arguments: [
            Errno.tooManyOpenFiles, .noMemory, .noBufferSpace, .addressNotAvailable,
            .resourceTemporarilyUnavailable,
        ]
    )
    func retriesAfterShortage(error: Errno) {
        var search = Search()
        search.after(.started, .placeReserved, .serverChosen(0))
        #expect(search.after(.attemptFailed(error), .attemptClosed) == .hold(until: 1_050))
        #expect(search.connector.server == 0)
        search.facts.now = 1_051
        #expect(search.after(.timerFired) == .connect(server: 0, address: 0))
        search.facts.now = 1_800
        #expect(search.after(.attemptFailed(error), .attemptClosed) == .giveUp(.unreachable(error)))
        #expect(search.end() == [.leaveServer(0), .releasePlace])
    }

    @Test("a server with a full backlog is passed over while there is another one")
    func passesFullBacklog() {
        var search = Search(servers: 2)
        search.after(.started, .placeReserved, .serverChosen(0))
        let full = Connector.Event.attemptFailed(.resourceTemporarilyUnavailable)
        #expect(search.after(full, .attemptClosed) == .giveUpServer(0))
        #expect(search.after(.serverLeft, .serverChosen(1)) == .connect(server: 1, address: 0))
        #expect(search.after(full, .attemptClosed) == .hold(until: 1_050))
    }

    @Test("servers that cannot be chosen are no alternative: an attempt has all the time")
    func countsChoosable() {
        var search = Search(servers: 3)
        search.choosable = [0]
        #expect(search.connect() == .wait(until: 1_800))

        search = Search(servers: 3)
        search.choosable = [0]
        search.after(.started, .placeReserved, .serverChosen(0))
        let full = Connector.Event.attemptFailed(.resourceTemporarilyUnavailable)
        #expect(search.after(full, .attemptClosed) == .hold(until: 1_050))
    }

    @Test("if the server goes down during an attempt, another one is chosen at once")
    func leavesDownServer() {
        var search = Search(servers: 2, addresses: 3)
        search.connect()
        search.choosable = [1]
        search.facts.now = 1_100
        #expect(search.after(.serverDown) == .closeAttempt)
        #expect(search.after(.attemptClosed) == .leaveServer(0))
        #expect(search.after(.serverLeft) == .chooseServer)
        #expect(search.connector.tried == [])
        #expect(search.after(.serverChosen(1)) == .connect(server: 1, address: 0))
        // Of the time that was left.
        search.facts.addressCount = 1
        #expect(search.after(.attemptBegan(nanosecond: 8)) == .wait(until: 1_800))
        search.connector.succeed()
        #expect(!search.connector.isServerDown)
        #expect(search.end() == [.leaveServer(1), .releasePlace])
    }

    @Test("if no other server can be chosen, the attempt goes on, though the server is down")
    func staysOnDownServer() {
        var search = Search(servers: 2)
        search.after(.started, .placeReserved, .serverChosen(1))
        search.after(.attemptFailed(.connectionRefused), .attemptClosed, .serverLeft)
        search.after(.serverChosen(0), .attemptBegan(nanosecond: 7))
        search.choosable = [1]  // It was tried, and could not be reached.
        #expect(search.after(.serverDown) == .nothing)
        #expect((search.connector.phase, search.connector.nextAt) == (.connecting, 1_800))
        search.connector.succeed()
        #expect(search.connector.isServerDown)
        #expect(search.connector.serverWentDown(deadline: 5_000) == .wait(until: 5_000))
        #expect(search.end() == [.leaveServer(0), .releasePlace])
    }

    @Test("an attempt at a server that is up again by now goes on")
    func ignoresOldNews() {
        var search = Search(servers: 2)
        search.connect()
        #expect(search.after(.serverDown) == .nothing)
        #expect(!search.connector.isServerDown)
        search.choosable = []
        search.after(.serverDown)
        #expect(search.connector.isServerDown)
        search.connector.serverCameUp()
        search.connector.succeed()
        #expect((search.connector.isServerDown, search.connector.nextAt) == (false, .max))
    }

    @Test(
        "after a shortage, a session leaves a server that cannot be chosen any more",
        arguments: [Connector.Event.serverDown, .retry, .timerFired]
    )
    func leavesBusyServer(event: Connector.Event) {
        var search = Search(servers: 2)
        search.after(.started, .placeReserved, .serverChosen(0))
        let full = Connector.Event.attemptFailed(.resourceTemporarilyUnavailable)
        search.after(full, .attemptClosed, .serverLeft, .serverChosen(1))
        #expect(search.after(full, .attemptClosed) == .hold(until: 1_050))
        search.choosable = [0]
        search.facts.now = 1_051
        #expect(search.after(event) == .leaveServer(1))
        #expect(search.after(.serverLeft) == .chooseServer)
        // The first may have room by now.
        #expect(search.connector.tried == [])
        #expect(search.connector.endsAt == 1_851)
        let none = Connector.Event.noServer(awaitsNames: false)
        #expect(search.after(none) == .giveUp(.down))
        #expect(search.end() == [.releasePlace])
    }

    @Test("a session waits in the queue of a full upstream, and has its whole time after that")
    func queues() {
        var search = Search(retryFor: 3_000)
        #expect(search.after(.started, .upstreamFull) == .enterQueue)
        #expect(search.after(.queueEntered) == .hold(until: 4_000))
        #expect((search.connector.phase, search.connector.isQueued) == (.queued, true))
        search.facts.now = 2_000
        #expect(search.after(.retry) == .reservePlace)
        #expect(search.after(.upstreamFull) == .hold(until: 4_000))
        #expect(search.after(.retry, .placeReserved) == .chooseServer)
        #expect((search.connector.isQueued, search.connector.endsAt) == (true, 2_800))
        #expect(search.after(.serverChosen(0)) == .leaveQueue)
        #expect(search.after(.queueLeft) == .connect(server: 0, address: 0))
        #expect(search.end() == [.leaveServer(0), .releasePlace])
    }

    @Test("a session leaves the queue when its patience is over, or when its client has gone")
    func leavesQueue() {
        var search = Search()
        #expect(search.after(.started, .upstreamFull, .queueEntered) == .hold(until: 1_800))
        var gone = search
        #expect(gone.end() == [.leaveQueue])
        search.facts.now = 1_801
        #expect(search.after(.timerFired) == .giveUp(.queueTimeout))
        #expect(search.end() == [.leaveQueue])
    }

    @Test("a session that finds the queue full is given up, and holds nothing")
    func refusesQueue() {
        var search = Search()
        #expect(search.after(.started, .upstreamFull, .queueFull) == .giveUp(.queueFull))
        #expect(search.end() == [])
    }

    @Test("a connection that breaks as it is watched is tried again with the whole time")
    func breaksAtOnce() {
        var search = Search(servers: 2)
        search.connect()
        search.connector.succeed()
        search.facts.now = 1_500
        #expect(search.after(.attemptFailed(.connectionReset)) == .closeAttempt)
        #expect(search.after(.attemptClosed) == .giveUpServer(0))
        #expect(search.after(.serverLeft) == .chooseServer)
        #expect(search.connector.endsAt == 2_300)
    }

    @Test("when a server goes down, its live session ends, at once or by the deadline")
    func endsForServer() {
        var search = Search()
        search.connect()
        #expect(search.connector.serverWentDown(deadline: nil) == .nothing)
        search.connector.succeed()
        #expect(search.connector.serverWentDown(deadline: 5_000) == .wait(until: 5_000))
        #expect(search.connector.serverWentDown(deadline: 6_000) == .wait(until: 5_000))
        #expect(search.after(.timerFired) == .endForServer)
        #expect(search.connector.serverWentDown(deadline: nil) == .endForServer)
        #expect(search.end() == [.leaveServer(0), .releasePlace])
    }

    @Test("when its server is up again, a live session has no deadline any more")
    func withdrawsDeadline() {
        var search = Search()
        search.connect()
        search.connector.succeed()
        #expect(search.connector.serverWentDown(deadline: 5_000) == .wait(until: 5_000))
        search.connector.serverCameUp()
        #expect(search.connector.nextAt == .max)
        #expect(search.connector.serverWentDown(deadline: 9_000) == .wait(until: 9_000))
        // A session that is not connected keeps the times of its search.
        search = Search()
        search.connect()
        search.connector.serverCameUp()
        #expect(search.connector.nextAt == 1_800)
    }

    @Test("a broken session looks whether its last bytes were sent, less and less often")
    func lingers() {
        var search = Search()
        search.connect()
        search.connector.succeed()
        #expect(search.connector.linger(now: 2_000) == .wait(until: 2_010))
        #expect(search.connector.phase == .breaking)
        #expect(search.connector.linger(now: 2_800) == .wait(until: 2_900))
        #expect(search.connector.linger(now: 20_000) == .wait(until: 21_000))
        #expect(search.after(.timerFired) == .nothing)
        #expect(search.end() == [.leaveServer(0), .releasePlace])
    }

    @Test("events that come at the wrong time change nothing")
    func ignoresStrayEvents() {
        var search = Search()
        #expect(search.after(.retry) == .nothing)
        #expect(search.after(.timerFired) == .nothing)
        search.connect()
        #expect(search.after(.retry) == .nothing)
        #expect(search.after(.started) == .nothing)
        search.connector.succeed()
        #expect(search.after(.retry) == .nothing)
        #expect(search.connector.phase == .connected)
    }

    @Test("after a restart, an attempt goes on with the rest of its time and its addresses")
    func restoresAttempt() {
        var search = Search(addresses: 2)
        search.connector.restore(restored(isConnecting: true, nextAt: 1_300, endsAt: 1_600))
        #expect((search.connector.phase, search.connector.server) == (.connecting, 0))
        #expect((search.connector.nextAt, search.connector.attemptedAt) == (1_300, 9))
        search.facts.now = 1_301
        #expect(search.after(.timerFired, .attemptClosed) == .connect(server: 0, address: 1))
        #expect(search.after(.attemptBegan(nanosecond: 10)) == .wait(until: 1_600))
        #expect(search.end() == [.leaveServer(0), .releasePlace])
    }

    @Test("after a restart, a connected session has its server, and no deadline of an outage")
    func restoresConnected() {
        var search = Search()
        search.connector.restore(restored(nextAt: 4_000))
        #expect((search.connector.phase, search.connector.nextAt) == (.connected, .max))
        #expect(search.connector.serverWentDown(deadline: 5_000) == .wait(until: 5_000))
        #expect(search.after(.timerFired) == .endForServer)
        #expect(search.end() == [.leaveServer(0), .releasePlace])
    }

    @Test("after a restart, a broken session lingers, and one without a server starts over")
    func restoresOthers() {
        var search = Search()
        search.connector.restore(restored(isBreaking: true, nextAt: 1_010))
        #expect((search.connector.phase, search.connector.nextAt) == (.breaking, 1_010))
        #expect(search.end() == [.leaveServer(0), .releasePlace])

        search = Search()
        search.connector.restore(restored(server: nil, nextAt: 1_010))
        #expect((search.connector.phase, search.connector.nextAt) == (.idle, .max))
        #expect(search.after(.started) == .reservePlace)
        #expect(search.end() == [])
    }

    private func restored(
        server: Int? = 0,
        isConnecting: Bool = false,
        isBreaking: Bool = false,
        nextAt: UInt64,
        endsAt: UInt64 = .max
    ) -> Connector.Restored {
        Connector.Restored(
            server: server,
            isConnecting: isConnecting,
            isBreaking: isBreaking,
            address: 1,
            nextAt: nextAt,
            endsAt: endsAt,
            nanosecond: 9
        )
    }
}
