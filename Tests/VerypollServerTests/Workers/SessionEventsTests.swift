import Testing
import Verypoll

@testable import VerypollConfiguration
@testable import VerypollServer

@Suite("SessionEvents")
struct SessionEventsTests {
    private func event(_ id: Int) -> SessionEvents.Event {
        let session = SessionSnapshot(
            id: UInt64(id),
            listener: "l",
            worker: 0,
            peer: "p",
            local: nil,
            upstream: nil,
            server: nil,
            state: .open,
            openedTimestamp: 0,
            idleMicroseconds: 0,
            bytesIn: 0,
            bytesOut: 0,
            bufferedByteCount: 0
        )
        return SessionEvents.Event(content: .session(session, reason: nil), timestamp: id)
    }

    @Test("events that do not fit are counted once")
    func counts() throws {
        var poll = try Poll()
        let events = try SessionEvents(registry: poll.registry, token: Token(1))
        for id in 0..<SessionEvents.limit + 3 { events.post(event(id)) }
        var woken = Events(capacity: 1)
        try poll.poll(&woken, timeout: .seconds(10))
        #expect(woken.map(\.token) == [Token(1)])

        let first = events.takeAll()
        #expect((first.events.map(\.timestamp) == Array(0..<SessionEvents.limit)) == true)
        #expect(first.lostCount == 3)
        events.post(event(7))
        let second = events.takeAll()
        #expect(second.events.map(\.timestamp) == [7])
        #expect(second.lostCount == 0)
    }

    @Test("no events are wanted at first")
    func isQuiet() throws {
        let poll = try Poll()
        let events = try SessionEvents(registry: poll.registry, token: Token(1))
        #expect(!events.areWanted)
        events.areWanted = true
        #expect(events.areWanted)
    }
}
