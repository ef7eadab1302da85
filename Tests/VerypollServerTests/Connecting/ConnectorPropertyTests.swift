import SystemPackage
import TestSupport
import Testing

@testable import VerypollServer

@Suite("Connector, in random sequences of events")
struct ConnectorPropertyTests {
    /// The sequences of a case; there are eight cases.
    private static let sequenceCount = 25_000

    @Test(
        "one attempt at a time and none too late, all returned once, and an end",
        arguments: 1...8
    )
    func keepsPromises(seed: UInt64) {
        for number in 0..<UInt64(Self.sequenceCount) {
            var model = Model(seed: seed << 32 | number)
            model.run()
            guard let breach = model.breach else { continue }
            Issue.record("sequence \(number) of seed \(seed): \(breach)")
            return
        }
    }
}

/// An upstream and a client that do anything that they may do, and the rules that a connector keeps
/// whatever they do.
private struct Model {
    private var random: Generator
    private var connector: Connector
    private var facts: Connector.Facts
    /// The first rule that was broken.
    private(set) var breach: String?

    // What the connector holds, by the actions that it asked for.
    private var hasPlace = false
    private var hasTicket = false
    /// Whether the session has found all servers full and waits for one.
    private var awaitsServer = false
    private var server: Int?
    private var isAttempting = false

    private let serverCount: Int
    /// The servers that can be chosen.
    private var choosable: Set<Int> = []
    /// The servers that were given up in this round.
    private var tried: [Int] = []
    /// Whether an attempt has failed in this round.
    private var hasFailed = false
    /// Whether the session has paused since its last attempt.
    private var hasPaused = false
    /// The millisecond in which the search of this round is over.
    private var searchEndsAt: UInt64 = 0
    /// The millisecond after which the session does not pause or wait any more.
    private var patienceEndsAt: UInt64 = 0
    /// The millisecond after which the session does not wait in the queue any more.
    private var queueEndsAt = UInt64.max
    /// Whether the last action closed an attempt, and did not give its server up.
    private var isBusy = false
    private var isOver = false

    init(seed: UInt64) {
        random = Generator(state: seed)
        connector = Connector(upstream: 0, now: 10_000)
        facts = Connector.Facts(now: 10_000, connectTimeout: 1, retryFor: 0)
        serverCount = 1 + Int(seed % 3)
        facts.connectTimeout = 1 + UInt64(pick(1_000))
        facts.retryFor = chance(2) ? 0 : UInt64(pick(5_000))
        for index in 0..<serverCount where !chance(4) { choosable.insert(index) }
    }

    mutating func run() {
        drive(.started)
        for _ in 0..<pick(12) where !isOver && breach == nil { happen() }
        // From now on no server answers, so that the session comes to its end by itself.
        var turnCount = 0
        while !isOver, breach == nil {
            turnCount += 1
            check(turnCount < 1_000, "it does not come to an end")
            if connector.phase == .connected || connector.phase == .breaking {
                end()
            } else {
                facts.now = max(facts.now, connector.nextAt &+ 1)
                drive(.timerFired)
            }
        }
        check(!hasPlace, "a place is not returned")
        check(!hasTicket, "a ticket of the queue is not returned")
        check(server == nil, "a server is not left")
        check(!isAttempting, "an attempt is left open")
    }

    // MARK: The world

    private mutating func pick(_ count: Int) -> Int { Int(random.next() >> 33) % count }

    private mutating func chance(_ count: Int) -> Bool { pick(count) == 0 }

    /// Lets anything happen that may happen now.
    private mutating func happen() {
        facts.now += UInt64(pick(300))
        if chance(8) { facts.connectTimeout = 1 + UInt64(pick(1_000)) }  // It was reloaded.
        switch pick(10) {
        case 0: end()
        case 1: drive(.retry)
        case 2: changeServer(pick(serverCount))
        case 3 where connector.phase == .connected:
            act(connector.linger(now: facts.now))
        case 4...6 where connector.phase == .connecting:
            hasFailed = true
            drive(.attemptFailed(anyError()))
        case 7 where connector.phase == .connecting:
            isAttempting = false
            tried = []
            queueEndsAt = .max
            connector.succeed()
            // The worker looks whether the server is still down.
            if connector.isServerDown { loseServer() }
        case 8 where connector.phase == .connected:
            hasFailed = true
            drive(.attemptFailed(anyError()))  // The connection could not be watched.
        default:
            if chance(2), connector.nextAt != .max { facts.now = max(facts.now, connector.nextAt) }
            if connector.nextAt < facts.now { drive(.timerFired) }
        }
    }

    /// Lets a server go down, or come up, and tells the session if it is on it.
    private mutating func changeServer(_ index: Int) {
        let goesDown = choosable.remove(index) != nil
        if !goesDown { choosable.insert(index) }
        guard server == index else { return }
        guard goesDown else {
            connector.serverCameUp()
            return check(
                connector.phase != .connected || connector.nextAt == .max,
                "a session keeps the deadline of a server that is up"
            )
        }
        guard connector.phase != .connected else { return loseServer() }
        let isSearching = connector.phase == .connecting || connector.phase == .pausing
        lookAtServer(index)
        let isBound = !facts.hasOtherServer || facts.now >= searchEndsAt
        drive(.serverDown)
        guard isSearching, !isOver, breach == nil else { return }
        check(server != index || isBound, "it stays on a server that is down beside another")
    }

    /// Tells a connected session that its server is down.
    private mutating func loseServer() {
        let deadline = chance(2) ? nil : facts.now + 100
        act(connector.serverWentDown(deadline: deadline))
        guard !isOver else { return }
        check(deadline.map { connector.nextAt <= $0 } ?? false, "it outlives its server")
    }

    /// Finds out the facts about a server, as a worker does.
    private mutating func lookAtServer(_ index: Int) {
        facts.isServerChoosable = choosable.contains(index)
        facts.hasOtherServer = !choosable.subtracting(tried).subtracting([index]).isEmpty
    }

    private mutating func anyError() -> Errno {
        switch pick(4) {
        case 0: .tooManyOpenFiles
        case 1: .resourceTemporarilyUnavailable
        default: .connectionRefused
        }
    }

    private mutating func end() {
        isOver = true
        isAttempting = false  // The session closes its sockets.
        var action = connector.handle(.ended, facts)
        for _ in 0..<4 {
            guard let event = giveBack(action) else {
                return check(action == .nothing, "something else follows the end")
            }
            action = connector.handle(event, facts)
        }
        check(false, "it never has returned everything")
    }

    // MARK: The worker

    private mutating func drive(_ event: Connector.Event) {
        if let server { lookAtServer(server) }
        let resumes =
            event == .retry || event == .timerFired
            || (event == .serverDown && server != nil && !facts.isServerChoosable)
        if event == .timerFired, connector.phase == .connecting { hasFailed = true }
        let isOverdue = event == .timerFired && connector.endsAt <= facts.now
        // The next attempts while the session is queued may be at any server.
        if event == .timerFired, connector.phase == .queued, !isOverdue { tried = [] }
        if resumes, connector.isHeld, hasPlace, !isOverdue {
            searchEndsAt = facts.now + facts.connectTimeout
            hasFailed = false
        }
        if case .attemptFailed = event, connector.phase == .connected {
            searchEndsAt = facts.now + facts.connectTimeout
        }
        var next: Connector.Event? = event
        var count = 0
        while let event = next, breach == nil {
            count += 1
            check(count < 60, "it goes on without waiting for anything")
            next = act(connector.handle(event, facts))
        }
    }

    /// Performs an action as a worker would, and checks that it may be asked for.
    ///
    /// - Returns: The result.
    @discardableResult
    private mutating func act(_ action: Connector.Action) -> Connector.Event? {
        switch action {
        case .reservePlace: return reservePlace()
        case .enterQueue:
            check(!hasTicket && hasPlace == awaitsServer, "it queues twice")
            check(server == nil, "it queues with a server")
            guard !chance(4) else { return .queueFull }
            hasTicket = true
            let patience = max(facts.connectTimeout, facts.retryFor)
            queueEndsAt = min(queueEndsAt, facts.now + patience)
            return .queueEntered
        case .chooseServer: return chooseServer()
        case .connect(let index, let address): return connect(index, address)
        case .closeAttempt:
            isAttempting = false
            isBusy = true
            return .attemptClosed
        case .leaveServer(let index) where !isOver:
            check(!facts.isServerChoosable, "it leaves a server that it could still connect to")
            if hasPaused { tried = [] }
            return leave(index)
        case .giveUpServer(let index):
            tried.append(index)
            return leave(index)
        case .leaveQueue, .leaveServer, .releasePlace: return giveBack(action)
        case .hold(let moment):
            check(!isAttempting, "it pauses while an attempt is under way")
            let end = hasTicket ? queueEndsAt : patienceEndsAt
            check(moment <= end, "it waits for longer than it may")
            check(hasTicket ? hasPlace == awaitsServer : hasPlace, "it waits for nothing")
            if !hasTicket {
                hasPaused = true
                check(moment > facts.now, "it pauses for no time")
                if !isBusy { tried = [] }
                check(connector.tried == tried, "a new round does not begin with all servers")
            }
        case .wait(let moment):
            guard isAttempting else { break }
            check(moment > facts.now, "an attempt has no time")
            check(moment <= searchEndsAt, "an attempt outlasts the search")
            let isLast = connector.addressIndex >= facts.addressCount && !facts.hasOtherServer
            let left = max(searchEndsAt, facts.now) - facts.now
            let time = facts.now + (isLast ? left : max(left / 2, 1))
            check(moment == time, "an attempt has more or less time than it may have")
        case .giveUp, .endForServer:
            if case .giveUp(.unreachable) = action { check(hasFailed, "it blames an old attempt") }
            if action == .giveUp(.down) { check(!hasFailed, "it forgets a failed attempt") }
            check(!isAttempting || action == .endForServer, "it gives up amid an attempt")
            end()
        case .nothing: break
        }
        return nil
    }

    private mutating func reservePlace() -> Connector.Event {
        check(!hasPlace, "it reserves two places")
        guard chance(2) else { return .upstreamFull }
        hasPlace = true
        awaitsServer = false
        searchEndsAt = facts.now + facts.connectTimeout
        patienceEndsAt = facts.now + max(1_000, facts.connectTimeout, facts.retryFor)
        return .placeReserved
    }

    private mutating func chooseServer() -> Connector.Event {
        check(hasPlace, "it chooses without a place")
        check(server == nil, "it takes two servers")
        check(facts.now < searchEndsAt, "it chooses a server too late")
        check(connector.tried == tried, "it forgets which servers it has tried in this round")
        let candidates = choosable.subtracting(tried).sorted()
        awaitsServer = chance(3)
        if awaitsServer { return .serversFull }
        guard !candidates.isEmpty else { return .noServer(awaitsNames: chance(2)) }
        let index = candidates[pick(candidates.count)]
        server = index
        facts.addressCount = 1 + pick(3)
        lookAtServer(index)
        return .serverChosen(index)
    }

    private mutating func connect(_ index: Int, _ address: Int) -> Connector.Event {
        check(!isAttempting, "it makes two attempts at once")
        check(server == index, "it connects to a server that it does not hold")
        check(address < facts.addressCount, "it connects to an address that is not there")
        check(facts.now < searchEndsAt, "it connects too late")
        check(!hasPaused || facts.isServerChoosable, "it comes back to a server that is down")
        hasPaused = false
        guard !chance(3) else {
            hasFailed = true
            return .attemptFailed(anyError())
        }
        isAttempting = true
        return .attemptBegan(nanosecond: facts.now)
    }

    private mutating func leave(_ index: Int) -> Connector.Event {
        check(server == index, "it leaves a server that it does not hold")
        server = nil
        isBusy = false
        facts.addressCount = 0
        return .serverLeft
    }

    private mutating func giveBack(_ action: Connector.Action) -> Connector.Event? {
        switch action {
        case .leaveServer(let index): return leave(index)
        case .leaveQueue:
            check(hasTicket, "it leaves the queue twice")
            hasTicket = false
            if hasPlace, !isOver {
                patienceEndsAt = facts.now + max(1_000, facts.connectTimeout, facts.retryFor)
            }
            return .queueLeft
        case .releasePlace:
            check(hasPlace, "it releases a place twice")
            hasPlace = false
            return .placeReleased
        default: return nil
        }
    }

    private mutating func check(_ isTrue: Bool, _ rule: StaticString) {
        if !isTrue, breach == nil { breach = "\(rule)" }
    }
}
