import TestSupport
import Testing

@testable import VerypollConfiguration
@testable import VerypollServer

@Suite("TimerWheel")
struct TimerWheelTests {
    @Test(
        "a timer fires in its millisecond, not before",
        arguments: [
            0, 1, 63, 64, 65, 4095, 4096, 4097, 262_143, 262_144, 3_600_000, 100_000_000_000,
        ] as [UInt64]
    )
    func fires(delay: UInt64) {
        for start in [0, 1, 63, 4_095, 1_000_003, UInt64(1) << 36 - 5] as [UInt64] {
            var wheel = TimerWheel(capacity: 1, now: start)
            wheel.schedule(0, at: start + delay)
            if delay > 0 {
                #expect(wheel.popExpired(now: start + delay - 1) == nil)
            }
            #expect(wheel.popExpired(now: start + delay) == 0)
            #expect(wheel.nextDeadline == nil)
        }
    }

    @Test("without a running timer there is no deadline; a stopped timer does not fire")
    func cancels() {
        var wheel = TimerWheel(capacity: 4, now: 100)
        #expect(wheel.nextDeadline == nil)
        wheel.schedule(2, at: 110)
        wheel.schedule(3, at: 110)
        wheel.cancel(2)
        wheel.cancel(2)
        wheel.cancel(1)
        #expect(wheel.popExpired(now: 200) == 3)
        #expect(wheel.popExpired(now: 200) == nil)
        #expect(wheel.nextDeadline == nil)
    }

    @Test("any schedule fires in time and in the order of the polls", arguments: 0..<12)
    func behavesAsAList(seed: UInt64) {
        var generator = Generator(state: seed)
        var now = UInt64.random(in: 0...(1 << 40), using: &generator)
        var wheel = TimerWheel(capacity: 64, now: now)
        var model: [UInt32: UInt64] = [:]
        for _ in 0..<3000 {
            let index = UInt32.random(in: 0..<64, using: &generator)
            switch Int.random(in: 0..<4, using: &generator) {
            case 0, 1:
                let span = UInt64(1) << UInt64.random(in: 0...34, using: &generator)
                let due = now + UInt64.random(in: 0...span, using: &generator)
                wheel.schedule(index, at: due)
                model[index] = due
            case 2:
                wheel.cancel(index)
                model[index] = nil
            default:
                // A poll that waits until the wheel's deadline is never late for a timer.
                let first = model.values.min()
                if let next = wheel.nextDeadline, let first {
                    #expect(next <= first || first <= now)
                }
                #expect((wheel.nextDeadline == nil) == model.isEmpty)
                let step = UInt64(1) << UInt64.random(in: 0...32, using: &generator)
                now += UInt64.random(in: 0...step, using: &generator)
                var fired: Set<UInt32> = []
                while let timer = wheel.popExpired(now: now) {
                    #expect(fired.insert(timer).inserted)
                }
                #expect(fired == Set(model.filter { $0.value <= now }.keys))
                for timer in fired { model[timer] = nil }
            }
        }
    }
}
