internal import Testing

@testable internal import VerypollConfiguration
@testable internal import VerypollServer

@Suite("DrainWindow")
struct DrainWindowTests {
    private let window = DrainWindow(from: 100_000, lasting: 10_000)

    /// Returns when a session ends that moves bytes at this interval until the end of the window.
    private func end(of id: UInt64, every interval: UInt64, in window: DrainWindow) -> UInt64 {
        var activeAt = window.begin
        while case let moment = window.moment(id: id, activeAt: activeAt),
            activeAt + interval < moment
        { activeAt += interval }
        return window.moment(id: id, activeAt: activeAt)
    }

    @Test("a session that moves bytes ends at the deadline, not before", arguments: [1, 500, 900])
    func endsActiveAtDeadline(interval: UInt64) {
        for id in 1...1000 as ClosedRange<UInt64> {
            #expect(end(of: id, every: interval, in: window) == window.end)
        }
    }

    @Test("silent sessions end in the first quarter, spread evenly")
    func spreadsSilent() {
        let moments = (1...1000).map { window.moment(id: $0, activeAt: 0) }
        let quarter = (window.end - window.begin) / 4
        #expect(moments.allSatisfy { $0 >= window.begin && $0 <= window.begin + quarter })
        for tenth in 0..<10 as Range<UInt64> {
            let from = window.begin + tenth * quarter / 10
            let count = moments.count { $0 >= from && $0 < from + quarter / 10 }
            #expect((50...150).contains(count), "tenth \(tenth)")
        }
    }

    @Test("sessions that move bytes now and then end in the last quarter, spread evenly")
    func spreadsSlow() {
        let moments = (1...1000).map { end(of: $0, every: 2_500, in: window) }
        let quarter = (window.end - window.begin) / 4
        #expect(moments.allSatisfy { $0 >= window.end - quarter && $0 <= window.end })
        let atTheEnd = moments.count { $0 == window.end }
        #expect(atTheEnd < 500)
    }

    @Test("no session outlives the window, however short or long it is")
    func endsAll() {
        for length in [0, 1, 999, 2_000, 60_000, .max] as [UInt64] {
            let window = DrainWindow(from: 100_000, lasting: length)
            for activeAt in [0, 100_000, 100_500] as [UInt64] {
                let moment = window.moment(id: 7, activeAt: activeAt)
                #expect(moment >= window.begin && moment <= window.end)
            }
        }
    }
}
