/// The timeouts of a listener's sessions, in milliseconds; `UInt64.max` means off.
package struct SessionTimeouts: Sendable {
    var firstByte = UInt64.max
    var idle = UInt64.max
    var halfClosed = UInt64.max
    var lifetime = UInt64.max
    /// The time for the head of a metrics request to arrive, from its first byte.
    var requestHead = UInt64.max
    /// The time for a PROXY header to arrive, if one is expected.
    var proxyHeader = UInt64.max
    /// The time from the accept for what is inspected to arrive.
    var inspect = UInt64.max
}
