internal import StrictJSON

/// When the sessions of a listener end by themselves.
package struct Timeouts: Equatable, Sendable {
    /// The time in which the first byte has to come, or `nil` for any.
    package var firstByte: Duration?

    /// The longest time in which no byte comes or goes, or `nil` for any.
    package var idle: Duration?

    /// The time for the second direction to end after the first, or `nil` for any.
    package var halfClosed: Duration?

    /// The longest life of a session, or `nil` for any.
    package var lifetime: Duration?

    /// The time for the other end to acknowledge what it was sent, or `nil` for the kernel's
    /// default; see `TCP_USER_TIMEOUT` in tcp(7).
    package var userTimeout: Duration?
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
    ])

    init(_ object: ObjectReader) {
        firstByte = object.optionalSpan("firstByte")
        idle = object.optionalSpan("idle")
        halfClosed = object.optionalSpan("halfClosed")
        lifetime = object.optionalSpan("lifetime")
        userTimeout = object.optionalSpan("userTimeout")
    }
}
