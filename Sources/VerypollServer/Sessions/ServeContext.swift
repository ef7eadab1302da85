/// The state that a worker lends to the session that it serves.
package struct ServeContext: ~Copyable {
    /// The most rounds of reading and writing for one direction each time a session is served.
    static let callsPerTurn = 8

    /// The buffer for reads; empty whenever the worker begins to serve a session.
    var scratch = Buffer()

    /// The buffers for bytes that one end of a session has not accepted yet.
    var pool = BufferPool()

    /// Parses ClientHellos.
    var hello = ClientHello()

    /// The objects for the names that TLS clients announce.
    var inspectedClients = InspectedClientPool()

    /// The objects for the addresses in PROXY headers.
    var headerAddresses = HeaderAddressesPool()

    /// The pipes for splicing.
    var splicePipes: SplicePipePool

    /// The current millisecond, read once per turn.
    var now: UInt64

    /// The text that chargen sends, repeated several times.
    let characters = Session.chargenText()

    /// The line that daytime sends.
    var daytime = DaytimeLine()
}
