extension Duration {
    /// How many whole units the duration takes, rounded up and clamped to what an option takes.
    func roundedUp(to unit: Duration) -> CInt {
        guard self > .zero else { return 0 }
        let units = (self / unit).rounded(.up)
        return units >= Double(CInt.max) ? .max : CInt(units)
    }
}
