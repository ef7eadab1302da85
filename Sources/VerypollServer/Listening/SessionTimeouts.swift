/// The times that bound a listener's sessions, in milliseconds; `UInt64.max` is off.
package struct SessionTimeouts: Sendable {
    var firstByte = UInt64.max
    var idle = UInt64.max
    var halfClosed = UInt64.max
    var lifetime = UInt64.max
    /// The time for the head of a request for metrics, from its first byte on.
    var requestHead = UInt64.max
    /// The time for a PROXY header to come, where one is awaited.
    var proxyHeader = UInt64.max
}
