extension Duration {
    /// How many whole units the duration takes, rounded up and clamped to what an option takes.
    func roundedUp(to unit: Duration) -> CInt {
        guard self > .zero else { return 0 }
        let units = (self / unit).rounded(.up)
        return units >= Double(CInt.max) ? .max : CInt(units)
    }

    /// The whole nanoseconds, rounded up; 0 for less, and at most some 292 years.
    var wholeNanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard self > .zero else { return 0 }
        let (whole, overflows) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carries) = whole.addingReportingOverflow(
            (attoseconds + 999_999_999) / 1_000_000_000
        )
        return UInt64(overflows || carries ? .max : sum)
    }
}
