extension Duration {
    /// Returns the duration in whole units, rounded up and clamped to the type of a socket option.
    func roundedUp(to unit: Duration) -> CInt {
        guard self > .zero else { return 0 }
        let units = (self / unit).rounded(.up)
        return units >= Double(CInt.max) ? .max : CInt(units)
    }

    /// The duration as the parts of a timespec(3type).
    ///
    /// Fractions are rounded up, so that no wait is too short. Seconds are capped, because some
    /// kernels store them in 32 bits.
    var wholeNanoseconds: (seconds: Int64, nanoseconds: Int64) {
        // A 128-bit division is slow, and 64 bits are enough for 18 seconds.
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
