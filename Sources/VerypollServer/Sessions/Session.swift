package import SystemPackage
internal import Verypoll

// A session's life.
//
// 1. The worker accepts a connection, reserves places for it, checks its source, and stores a
//    session in its slab (`Worker+Accepting`, `Worker+Serving`). The session stays on that worker.
// 2. If the listener trusts the source to send a PROXY header, the session first reads the header
//    (`Session+Header`) and is checked again, by the address in the header. If the listener chooses
//    the upstream by the client's first bytes, the session then waits for these
//    (`Session+Inspect`).
// 3. If the listener's handler is a proxy, `Connector` decides how the session gets its server, and
//    the worker carries that out (`Worker+Connecting`). Meanwhile the client is not read.
// 4. Each event of one of its sockets marks the socket's `Endpoint` as readable or writable, and
//    the worker serves the session (`Session+Serve`): the listener's handler moves bytes within a
//    bounded number of system calls. The worker then acts on the result, `Outcome`. The session
//    waits for the next event, is served again after the next poll (`again`), waits for a buffer
//    (`starved`), waits until a broken connection's last bytes were sent (`linger`), waits until
//    the supervisor has written a report (`askForReport`), or ends.
// 5. One timer per session covers its timeouts, the connector's steps and the drains
//    (`Session+Deadline`, `DrainWindow`). Activity does not move the timer. When it fires, the
//    worker computes the deadline again and, if that has not passed, sets the timer to it.
// 6. When a connection breaks, the bytes that came before are still delivered to the other side.
//    When one side only half-closes, the other direction continues.
// 7. The session ends for one of the reasons in `EndReason`, such as a completed transfer, an
//    error, a timeout, a drain, or a call on the control socket. The worker removes
//    it from the slab, publishes its counts, and returns its places, its server and its buffers,
//    each once (`Worker.end`).
//
// At a restart, the session is recorded (`Session+Record`) and its sockets are handed to the next
// process, which resumes the session at the step that it had reached (`Worker+Handoff`).

/// A client's connection from accept to close, and the connection to its server if it is proxied.
///
/// A session lives on one worker. An idle session owns no buffer: input is read into the worker's
/// scratch buffer and handled at once, and only bytes that cannot be sent at once are kept in a
/// buffer of the session.
package struct Session: ~Copyable {
    /// The next step of a session that was served.
    enum Step: Equatable {
        /// Nothing before the next event.
        case wait
        /// The calls of this turn are used up, and there is more to do.
        case again
        /// The session needs a buffer, and the pool has none.
        case starved
        /// The session is broken, and waits until the kernel has sent the bytes that a reset would
        /// drop.
        case linger
        /// The session waits until the supervisor has written a report.
        case askForReport(ReportKind)
        /// The session ends.
        case end(EndReason)
    }

    /// The reason that a session ends.
    package enum EndReason: Equatable {
        case completed
        case failed(Errno)
        /// The connection to the server failed, not the one to the client.
        case serverFailed(Errno)
        case noServer(Connector.NoServer)
        case serverDown
        case malformedHeader(ProxyHeader.Reason)
        case notTLS
        case malformedHello(ClientHello.Reason)
        case helloTooLarge
        /// No route matches the client, and there is no upstream for the others.
        case noRoute
        /// The PostgreSQL server refused to use TLS.
        case serverHasNoTLS
        /// The PostgreSQL server's answer to the request for TLS was neither yes nor no.
        case invalidAnswer
        /// The address in the PROXY header is refused.
        case notAdmitted(RefusalCause)
        case timedOut(Timeout)
        case killed
        case drained
        case stopped
        /// The session continues in the next process of the service.
        case handedOff
    }

    /// The deadlines of a session.
    package enum Timeout: String {
        case firstByte
        case idle
        case halfClosed
        case lifetime
        case proxyHeader
        case inspect
        case requestHead
        /// The deadline of the connector's present step, which by itself does not end the session.
        case connector
        /// The drain of the daemon, the listener or the server.
        case drain
    }

    /// The session's ID on the control socket and in the journal.
    package let id: UInt64
    /// The slot of the session's listener.
    package let listener: Int
    /// The millisecond in which the connection was accepted.
    let openedAt: UInt64
    /// The millisecond in which bytes were last read or written.
    var activeAt: UInt64
    /// The millisecond in which the first of its two directions ended; 0 if none has.
    var halfClosedAt: UInt64 = 0
    /// The position in the text of a handler that sends a fixed text; below ``positionLimit``.
    package var position: UInt16 = 0
    /// Whether the session has not read the client's PROXY header yet.
    var awaitsHeader = false
    /// The step of the inspection, before the upstream is known.
    var inspection = Inspection.none
    /// Whether the session is counted in the source table of its listener.
    var isCountedBySource = false
    /// The party whose end of file came first; `nil` while both directions are open.
    var firstEnd: SessionParty?
    /// The number of restarts that the session has survived, at most 255.
    var restartCount: UInt8 = 0
    var client: Endpoint
    /// The state of a proxied session; other sessions leave it in its initial state.
    var proxyState: ProxyState
    /// The channel from the client; without a server, its `taken` counts the bytes read from the
    /// client, and the rest of it is unused.
    var toServer = Channel()
    /// The channel to the client; without a server, its `given` counts the bytes written to the
    /// client, and the echo handler buffers bytes in the channel.
    var toClient = Channel()
    /// The PROXY header that is being read, if it is too long to be peeked at as a whole.
    var longHeader: LongHeaderReading?
    /// The ClientHello that is being read, or waits for the connection to the server, if it is too
    /// long to be peeked at as a whole.
    var longHello: LongHello?
    /// The names in a TLS client's ClientHello; `nil` without inspection.
    var announced: InspectedClient?
    /// The open request of a metrics session.
    var exchange: MetricsExchange?
    /// The address of a TCP client, or the source address in its PROXY header.
    var peer: SocketAddress?
    /// The other addresses of a session whose ``peer`` is from a PROXY header, or the address of a
    /// vsock client.
    var headerAddresses: HeaderAddresses?

    /// No handler's position reaches this limit; raise the limit for a handler with a longer text.
    static let positionLimit = chargenPeriod

    init(
        id: UInt64,
        listener: Int,
        now: UInt64,
        socket: consuming SessionSocket,
        peer: SocketAddress?,
        upstream: Int?
    ) {
        self.id = id
        self.listener = listener
        openedAt = now
        activeAt = now
        self.peer = peer
        proxyState = ProxyState(connector: Connector(upstream: upstream, now: now))
        client = Endpoint(socket, flags: .outputReady)
        client.flags.remove(.gathers)  // Accepted sockets inherit the listener's TCP_NODELAY.
    }

    /// The bytes read from the client.
    package var bytesIn: UInt64 { toServer.taken }

    /// The bytes written to the client.
    package var bytesOut: UInt64 { toClient.given }

    /// The destination address in the client's PROXY header.
    var destination: SocketAddress? { headerAddresses?.destination }

    /// The address of a vsock client.
    var vsockPeer: VsockAddress? { headerAddresses?.vsockPeer }

    /// The address that has sent the PROXY header, if ``peer`` is from the header.
    var sender: SocketAddress? { headerAddresses?.sender }

    /// The client as text: `10.0.0.1:4711`, `unix:pid=12,uid=1000` or `vsock:3:4711`.
    var peerDescription: String {
        if let vsockPeer { return "vsock:\(vsockPeer)" }
        guard let peer else { return client.socket.peerCredentialsDescription }
        return SocketAddress(peer.ip.unmapped, port: peer.port, zone: peer.zone).description
    }

    /// Whether at least one direction has ended; the session ends when both have.
    var isHalfClosed: Bool {
        let ends: Endpoint.Flags = [.inputEnded, .outputEnded]
        return !client.flags.isDisjoint(with: ends) || proxyState.server.flags.contains(.inputEnded)
    }

    /// The party whose end of file has arrived, if ``isHalfClosed``.
    var endedParty: SessionParty {
        // In one turn, the client is read first.
        if client.flags.contains(.inputEnded) { return .client }
        return proxyState.server.flags.contains(.inputEnded) ? .server : .daemon
    }

    /// Reads once into the scratch buffer, which must be empty; see ``Endpoint/receive(into:)``.
    mutating func receive(in context: inout ServeContext) throws(Errno) {
        toServer.taken += UInt64(try client.receive(into: &context.scratch))
    }

    /// Writes bytes to the client and returns the number written.
    mutating func send(_ bytes: Span<UInt8>) throws(Errno) -> Int {
        let sent = try client.send(bytes)
        toClient.given += UInt64(sent)
        return sent
    }
}
