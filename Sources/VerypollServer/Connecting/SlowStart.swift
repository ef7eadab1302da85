/// The growing weight of a server that is up again after it was down.
///
/// The weight grows linearly from a tenth of the server's own weight. All weights are in
/// thousandths, so that a weight of 1 can grow as well. Each weight is computed anew from the time,
/// so no rounding adds up.
struct SlowStart: Sendable {
    /// The number by which weights are multiplied.
    static let unit = 1000

    /// The share of a server of weight 0, which RFC 2782 wants to be very small, in thousandths.
    private static let least = 10

    /// The part of its weight with which a server begins, in thousandths.
    private static let first = 100

    /// The time in which the weight grows, in milliseconds; 0 for none.
    let duration: UInt64

    /// Computes the weight of a server at a moment.
    ///
    /// - Parameters:
    ///   - weight: The server's own weight.
    ///   - start: The millisecond in which the server was last up again; 0 if it never was down.
    ///   - now: The current millisecond.
    /// - Returns: The weight in thousandths, at least 1.
    func weight(_ weight: Int, since start: UInt64, now: UInt64) -> Int {
        guard weight > 0 else { return Self.least }
        guard start != 0, duration != 0 else { return weight * Self.unit }
        // Another thread may have noted the start a little later than `now`.
        let elapsed = now > start ? now - start : 0
        guard elapsed < duration else { return weight * Self.unit }
        let grown = UInt64(Self.unit - Self.first) * elapsed / duration
        return weight * (Self.first + Int(grown))
    }
}
