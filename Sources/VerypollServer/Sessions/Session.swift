package import SystemPackage
internal import Verypoll

// A session's life.
//
// 1. The worker accepts a connection, reserves places for it, checks its source, and stores a
//    session in its slab (`Worker+Accepting`, `Worker+Serving`). The session stays on that worker.
// 2. If the listener trusts the source to send a PROXY header, the session first reads the header
//    (`Session+Header`) and is checked again, by the address in the header.
// 3. If the listener's handler is a proxy, `Connector` decides how the session gets its server, and
//    the worker carries that out (`Worker+Connecting`). Meanwhile the client is not read.
// 4. Each event of one of its sockets marks the socket's `Endpoint` as readable or writable, and
//    the worker serves the session (`Session+Serve`): the listener's handler moves bytes within a
//    bounded number of system calls. The worker then acts on the one result, `Outcome`: wait for an
//    event, serve it again after the next poll, wait for a buffer, or end it.
// 5. When a connection breaks, the bytes that came before are still delivered to the other side.
//    When one side only half-closes, the other side's channel goes on.
// 6. The session ends for one of the reasons of `EndReason`: all bytes and both ends of file have
//    been passed on, an error, a timeout (`Session+Deadline`), a drain (`DrainWindow`), or a call
//    of the control socket. The worker removes it from the slab, publishes its counts, and returns
//    its places, its server and its buffers, each once (`Worker.end`).
//
// At a restart, the session is recorded (`Session+Record`) and its sockets are handed to the next
// process, where it goes on at the step that it had reached (`Worker+Handoff`).

/// A client's connection from accept to close, and that to a server if it is proxied; it lives on
/// one worker.
///
/// An idle session owns no buffer: what comes is read into the worker's scratch buffer and handled
/// at once, and only what is not taken at that moment is parked in a buffer of its own.
package struct Session: ~Copyable {
    /// What is to become of a session that was served.
    enum Step: Equatable {
        /// Nothing more until the next event.
        case wait
        /// It has had its turn, and has work left.
        case again
        /// It needs a buffer, and there is none.
        case starved
        /// It is broken, and waits until the kernel has sent what a reset would drop.
        case linger
        /// It waits for the metrics to be written.
        case askForMetrics(MetricsFormat)
        /// It is over.
        case end(EndReason)
    }

    /// Why a session is over.
    package enum EndReason: Equatable {
        case completed
        case failed(Errno)
        /// The connection to the server failed, and not that to the client.
        case serverFailed(Errno)
        case noServer(Connector.NoServer)
        case serverDown
        case malformedHeader(ProxyHeader.Reason)
        case notAdmitted
        case timedOut(Timeout)
        case killed
        case drained
        case stopped
        /// The next process of the service goes on with it.
        case handedOff
    }

    /// The times that a session is bounded by.
    package enum Timeout: String {
        case firstByte
        case idle
        case halfClosed
        case lifetime
        case proxyHeader
        case requestHead
        /// The time of the connector's present step; it ends no session by itself.
        case connector
        /// What the session is part of is drained.
        case drain
    }

    /// The number that the control socket and the journal call it by.
    package let id: UInt64
    /// The index of its listener.
    package let listener: Int
    /// The millisecond of its accept.
    let openedAt: UInt64
    /// The millisecond in which bytes were last read or written.
    var activeAt: UInt64
    /// The millisecond in which the first of its two ways ended, 0 before.
    var halfClosedAt: UInt64 = 0
    /// How far a handler that sends a fixed text has come in it.
    package var position: UInt16 = 0
    /// Whether the client has yet to say by a PROXY header whom it speaks for.
    var awaitsHeader = false
    /// Whether it is counted among the sessions of its source.
    var isCountedBySource = false
    var client: Endpoint
    /// Its part in being proxied; sessions of other handlers do not use it.
    var proxyState: ProxyState
    /// From the client.
    var toServer = Channel()
    /// To the client.
    var toClient = Channel()
    /// The rest of a PROXY header that is too long to wait for as a whole.
    var longHeader: LongHeaderReading?
    /// What the metrics handler has in hand.
    var exchange: MetricsExchange?
    /// The address of a TCP client.
    var peer: SocketAddress?
    /// The address that a PROXY header says the client has connected to.
    var destination: SocketAddress?

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
        client.flags.remove(.gathers)  // As the listening socket's option says.
    }

    /// The bytes that came from the client.
    package var bytesIn: UInt64 { toServer.taken }

    /// The bytes that were sent to the client.
    package var bytesOut: UInt64 { toClient.given }

    /// The client, for people: `10.0.0.1:4711` or `unix:pid=12,uid=1000`.
    var peerDescription: String {
        guard let peer else { return client.socket.peerCredentialsDescription }
        return SocketAddress(peer.ip.unmapped, port: peer.port, zone: peer.zone).description
    }

    /// Whether one of its ways has ended; when both have, it is over.
    var isHalfClosed: Bool {
        let ends: Endpoint.Flags = [.inputEnded, .outputEnded]
        return !client.flags.isDisjoint(with: ends) || proxyState.server.flags.contains(.inputEnded)
    }

    /// Reads once into the scratch buffer, which must be empty, and notes if that has drained the
    /// socket or was the end of file.
    mutating func receive(in context: inout ServeContext) throws(Errno) {
        toServer.taken += UInt64(try client.receive(into: &context.scratch))
    }

    /// Writes bytes until all are taken or the client takes no more; returns how many were.
    mutating func send(_ bytes: Span<UInt8>) throws(Errno) -> Int {
        let sent = try client.send(bytes)
        toClient.given += UInt64(sent)
        return sent
    }
}
