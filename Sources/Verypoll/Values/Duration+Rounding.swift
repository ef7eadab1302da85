extension Duration {
    /// How many whole units the duration takes, rounded up and clamped to what an option takes.
    func roundedUp(to unit: Duration) -> CInt {
        guard self > .zero else { return 0 }
        let units = (self / unit).rounded(.up)
        return units >= Double(CInt.max) ? .max : CInt(units)
    }

    /// The duration as the kernel takes it.
    ///
    /// A wait is never early, so fractions round up; and some kernels' seconds have 32 bits.
    var wholeNanoseconds: (seconds: Int64, nanoseconds: Int64) {
        // Dividing 128 bits takes its time, and 64 are enough for 18 seconds.
        if let attoseconds = UInt64(exactly: attoseconds) {
            let (whole, rest) = attoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
            let nanoseconds = Int64(whole) + (rest > 0 ? 1 : 0)
            return (nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000)
        }
        let (seconds, attoseconds) = components
        let nanoseconds = (attoseconds + 999_999_999) / 1_000_000_000
        let carry = nanoseconds / 1_000_000_000
        return (min(seconds, Int64(Int32.max)) + carry, nanoseconds % 1_000_000_000)
    }
}
