#if Net && OSExt
internal import SystemPackage
internal import Verypoll

/// A client's connection from accept to close; it lives on one worker.
///
/// An idle session owns no buffer: what comes is read into the worker's scratch buffer and handled
/// at once, and only what the client does not take at that moment is parked in a buffer of its own.
struct Session: ~Copyable {
    /// Where a session stands.
    struct Flags: OptionSet {
        let rawValue: UInt8

        /// A short read does not stand for drained, and only `nil` does: the end of file is behind
        /// the data and no second edge will come, or the kernel may stop a read early.
        static let isReadToNil = Flags(rawValue: 1 << 0)
        /// The client's end of file was read.
        static let inputEnded = Flags(rawValue: 1 << 1)
        /// The way to the client was ended.
        static let outputEnded = Flags(rawValue: 1 << 2)
        /// An event told that there is something to read, and it was not drained since.
        static let inputReady = Flags(rawValue: 1 << 3)
    }

    /// What is to become of a session that was served.
    enum Step: Equatable {
        /// Nothing more until the next event.
        case wait
        /// It has had its turn, and has work left.
        case again
        /// It needs a buffer, and there is none.
        case starved
        /// It is over.
        case end(EndReason)
    }

    /// Why a session is over.
    enum EndReason: Equatable {
        case completed
        case failed(Errno)
        case timedOut(Timeout)
        case killed
        case drained
    }

    /// The times that a session is bounded by.
    enum Timeout: String {
        case firstByte
        case idle
        case halfClosed
        case lifetime
    }

    /// The number that the control socket and the journal call it by.
    let id: UInt64
    /// The index of its listener.
    let listener: Int
    /// The millisecond of its accept.
    let openedAt: UInt64
    /// The millisecond in which bytes were last read or written.
    var activeAt: UInt64
    /// The millisecond in which the first of its two ways ended, 0 before.
    var halfClosedAt: UInt64 = 0
    var bytesIn: UInt64 = 0
    var bytesOut: UInt64 = 0
    var flags: Flags = []
    /// How far a handler that sends a fixed text has come in it.
    var position: UInt16 = 0
    /// What the client did not take yet.
    var parked: Buffer?
    let socket: ClientSocket
    /// The address of a TCP client.
    let peer: SocketAddress?

    init(
        id: UInt64,
        listener: Int,
        now: UInt64,
        socket: consuming ClientSocket,
        peer: SocketAddress?
    ) {
        self.id = id
        self.listener = listener
        openedAt = now
        activeAt = now
        self.peer = peer
        if socket.stopsReadsEarly { flags.insert(.isReadToNil) }
        self.socket = socket
    }

    /// The client, for people: `10.0.0.1:4711` or `unix:pid=12,uid=1000`.
    var peerDescription: String {
        guard let peer else { return socket.peerCredentialsDescription }
        return SocketAddress(peer.ip.unmapped, port: peer.port, zone: peer.zone).description
    }

    /// Notes what an event tells.
    mutating func note(_ event: Event) {
        let isEnd = event.isReadClosed || event.isError
        if event.isReadable || isEnd, !flags.contains(.inputEnded) { flags.insert(.inputReady) }
        // A read stops short of urgent data, whatever is behind it; see MSG_OOB in tcp(7).
        if isEnd || event.isPriority { flags.insert(.isReadToNil) }
    }

    /// Whether one of its ways has ended; when both have, it is over.
    var isHalfClosed: Bool { !flags.isDisjoint(with: [.inputEnded, .outputEnded]) }

    /// Reads once into the scratch buffer, which must be empty, and notes if that has drained the
    /// socket or was the end of file.
    mutating func receive(on bench: inout Workbench) throws(Errno) {
        let count = try bench.scratch.append { output throws(Errno) in
            try socket.read(into: &output)
        }
        guard let count else {
            flags.remove(.inputReady)
            return
        }
        if count == 0 {
            flags.remove(.inputReady)
            flags.insert(.inputEnded)
            if halfClosedAt == 0 { halfClosedAt = bench.now }
            return
        }
        bytesIn += UInt64(count)
        activeAt = bench.now
        if count < Buffer.capacity, !flags.contains(.isReadToNil) { flags.remove(.inputReady) }
    }

    /// Writes bytes until all are taken or the client takes no more; returns how many were.
    mutating func send(_ bytes: Span<UInt8>, now: UInt64) throws(Errno) -> Int {
        var sent = 0
        while sent < bytes.count, let count = try socket.write(bytes.extracting(sent...)) {
            sent += count
        }
        if sent > 0 { activeAt = now }
        bytesOut += UInt64(sent)
        return sent
    }

    /// Ends the way to the client.
    mutating func endOutput(now: UInt64) throws(Errno) {
        try socket.shutdownWriting()
        flags.insert(.outputEnded)
        if halfClosedAt == 0 { halfClosedAt = now }
    }
}
#endif
