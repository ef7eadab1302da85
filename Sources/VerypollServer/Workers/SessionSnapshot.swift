/// A session at a moment, for those who watch the daemon.
package struct SessionSnapshot: Sendable {
    package var id: UInt64
    package var listener: String
    package var worker: Int
    /// The client; see ``Session/peerDescription``.
    package var peer: String
    /// The address that the client has connected to; `nil` if the kernel does not tell.
    package var local: String?
    package var upstream: String?
    package var server: String?
    package var isHalfClosed: Bool
    /// In microseconds since 1970.
    package var openedTimestamp: Int
    /// How long no byte has been moved.
    package var idleMicroseconds: Int
    package var bytesIn: UInt64
    package var bytesOut: UInt64
    /// The bytes that wait for the client to take them.
    package var bufferedByteCount: Int
}
