internal import StrictJSON

/// The times after which the daemon ends a session of a listener.
package struct Timeouts: Equatable, Sendable {
    /// The time in which the first byte must pass, in either direction, or `nil` for no limit.
    package var firstByte: Duration?

    /// The longest time without a byte in either direction, or `nil` for no limit.
    package var idle: Duration?

    /// How long one direction may stay open after the other has ended; `nil` for no limit.
    package var halfClosed: Duration?

    /// The longest duration of a session, or `nil` for no limit.
    package var lifetime: Duration?

    /// The time in which the peer must acknowledge sent data, or `nil` for the kernel's default;
    /// see `TCP_USER_TIMEOUT` in tcp(7).
    package var userTimeout: Duration?

    /// The time from the accept in which a listener with inspection must have read what it
    /// inspects.
    package var inspect: Duration
}

// MARK: - Reading

extension Timeouts {
    private static let span = ValueForm.spanOrOff(.milliseconds(1) ... .longest)

    package static let keys = KeyTable([
        Key("firstByte", span, default: "30s"),
        Key("idle", span, default: "1h"),
        Key("halfClosed", span, default: "5min"),
        Key("lifetime", span, default: "off"),
        // The kernel counts milliseconds in 31 bits.
        Key(
            "userTimeout",
            .spanOrOff(.milliseconds(1) ... .milliseconds(Int32.max)),
            default: "off"
        ),
        Key("inspect", .span(.milliseconds(1) ... .longest), default: "5s"),
    ])

    init(_ object: ObjectReader) {
        firstByte = object.optionalSpan("firstByte")
        idle = object.optionalSpan("idle")
        halfClosed = object.optionalSpan("halfClosed")
        lifetime = object.optionalSpan("lifetime")
        userTimeout = object.optionalSpan("userTimeout")
        inspect = object.span("inspect")
    }
}
