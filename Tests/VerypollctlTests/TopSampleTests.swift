import Console
import Testing
import VerypollControl

@testable import verypollctl

@Suite("TopSample")
struct TopSampleTests {
    private let plain = Terminal(isInteractive: false, hasColor: false, columns: nil)

    private func sample(_ change: (inout Status) -> Void, seconds: Int = 2) -> TopSample {
        var later = Sample.status
        change(&later)
        let now = ContinuousClock.now
        return TopSample(
            from: .init(status: Sample.status, timestamp: Sample.start, instant: now),
            to: .init(
                status: later,
                timestamp: Sample.start + seconds * 1_000_000,
                instant: now + .seconds(seconds)
            )
        )
    }

    @Test("rates are counter differences per second")
    func rates() {
        let sample = sample { status in
            status.totals.accepted += 10
            status.totals.bytesIn += 4096
            status.listeners[0].accepted += 10
            status.listeners[0].bytesOut += 1000
            status.upstreams[0].servers[0].sessions += 3
        }
        #expect(sample.intervalUSec == 2_000_000)
        #expect(sample.rates.sessionsPerSecond == 5)
        #expect(sample.rates.bytesInPerSecond == 2048)
        #expect(sample.rates.bytesOutPerSecond == 0)
        #expect(sample.listeners.map(\.rates.sessionsPerSecond) == [5, 0])
        #expect(sample.listeners[0].rates.bytesOutPerSecond == 500)
        #expect(sample.servers.first?.rates.sessionsPerSecond == 1.5)
        #expect(sample.workers.map(\.busyShare) == Sample.status.workers.map(\.busyShare))
    }

    @Test("a counter that restarted yields no negative rate, and a new one counts in full")
    func restarts() {
        let sample = sample { status in
            status.listeners[0].accepted = 0
            status.listeners[1].name = "new"
        }
        #expect(sample.listeners.map(\.rates.sessionsPerSecond) == [0, 38.5])
    }

    @Test("rows are sorted by the chosen number, and keep their order otherwise")
    func sorts() {
        let sample = sample { status in
            status.listeners[1].accepted += 10
            status.listeners[0].bytesIn += 10
            status.upstreams[1].servers[0].bytesOut += 4096
        }
        let names = ["echo", "web"]
        #expect(sample.listeners.map(\.name) == names)
        #expect(sample.sorted(by: .new).listeners.map(\.name) == ["web", "echo"])
        #expect(sample.sorted(by: .name).listeners.map(\.name) == names)
        let byBytes = sample.sorted(by: .bytesIn)
        #expect(byBytes.listeners.map(\.name) == names)
        // The bytes that clients have sent are those that servers get.
        #expect(byBytes.servers.first?.address == "10.0.0.9:5432")
        #expect(sample.sorted(by: .sessions).servers.map(\.active).prefix(2) == [8, 4])
    }

    @Test("a narrow table leaves out the rates of new sessions once, and says so")
    func isNarrow() {
        let narrow = Terminal(isInteractive: false, hasColor: false, columns: 45)
        let sample = sample { _ in }
        let texts = sample.lines(header: true, on: narrow).map(\.description)
        #expect(texts.allSatisfy { !$0.contains("NEW/S ") })
        #expect(texts.contains { $0.hasPrefix("LISTENER  ") })
        #expect(texts.suffix(2) == ["", "Left out for lack of width: NEW/S."])
        #expect(!sample.lines(header: true, on: plain).contains { $0.description.contains("Left") })
    }

    @Test("the table has no escape sequences without colors")
    func prints() {
        let sample = sample { $0.upstreams[0].servers[0].mode = .drain }
        let lines = sample.lines(header: true, on: plain)
        let texts = lines.map(\.description)
        #expect(lines[0] == "verypolld 1.2.3 - running, up 2s")
        #expect(lines[1] == "14 of 100000 sessions, 0.0/s new, 0B/s in, 0B/s out")
        #expect(texts.contains { $0.hasPrefix("LISTENER  STATE      SESSIONS  NEW/S") })
        #expect(texts.contains { $0.contains("drain (up)") })
        #expect(lines.contains("     0         1   12%"))
        #expect(!texts.contains { $0.contains("\u{1B}") })
    }
}
