import Testing

@testable import VerypollDaemon

@Suite("BusyShares")
struct BusySharesTests {
    @Test("the share covers only the last interval")
    func shares() {
        var shares = BusyShares(count: 1)
        let start = ContinuousClock.now + .seconds(1)
        shares.update([1_000_000_000], now: start)
        shares.update([1_250_000_000], now: start + .seconds(1))
        #expect(shares.values == [0.25])
        shares.update([1_250_000_000], now: start + .seconds(2))
        #expect(shares.values == [0])
    }
}
