import Testing
import Verypoll
import VerypollControl

@testable import VerypollDaemon

@Suite("LiveChanges")
struct LiveChangesTests {
    private static let call = Order.Request(
        callID: CallID(slot: 0, client: 0, call: 1),
        caller: Caller(uid: 0, gid: 0, pid: 1)
    )
    private static let change = LiveChange.resume(listener: nil, names: [], call)
    private static let drain = Order.drain(listener: "a", deadline: nil, call)

    @Test("orders wait for the change that is being made, and are then carried out in order")
    func holds() {
        var changes = LiveChanges()
        #expect(changes.hold(Self.drain) == false)
        changes.begin(Self.change)
        #expect(changes.hold(Self.drain) == true)
        #expect(changes.hold(.stop(.terminate)) == true)
        let ended = changes.end()
        #expect(ended.change != nil)
        #expect(ended.orders.map(\.isStop) == [false, true])
        #expect(ended.orders.map(\.callID) == [Self.call.callID, nil])
        #expect(changes.current == nil)
        #expect(changes.stopDueAt == nil)
        #expect(changes.hold(Self.drain) == false)
        #expect(changes.end().orders.count == 0)
    }

    @Test("a stop waits no longer than its limit, and each stop is taken once")
    func stops() {
        var changes = LiveChanges()
        let now = ContinuousClock.now
        changes.begin(Self.change)
        #expect(changes.hold(Self.drain, now: now) == true)
        #expect(changes.stopDueAt == nil)
        #expect(changes.hold(.stop(.interrupt), now: now) == true)
        #expect(changes.hold(.stop(.terminate), now: now + .seconds(1)) == true)
        let due = now + LiveChanges.stopLimit
        #expect(changes.stopDueAt == due)
        #expect(changes.takeLateStop(now: now) == nil)
        #expect(changes.takeLateStop(now: due) == .interrupt)
        #expect(changes.takeLateStop(now: due) == .terminate)
        #expect(changes.takeLateStop(now: due) == nil)
        #expect(changes.stopDueAt == nil)
        #expect(changes.end().orders.map(\.isStop) == [false])
    }
}

extension Order {
    fileprivate var isStop: Bool {
        if case .stop = self { true } else { false }
    }
}
