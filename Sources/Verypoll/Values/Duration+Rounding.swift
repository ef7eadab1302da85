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
        guard self != .zero else { return (0, 0) }  // Dividing 128 bits takes its time.
        let (seconds, attoseconds) = components
        let nanoseconds = (attoseconds + 999_999_999) / 1_000_000_000
        let carry = nanoseconds / 1_000_000_000
        return (min(seconds, Int64(Int32.max)) + carry, nanoseconds % 1_000_000_000)
    }
}
