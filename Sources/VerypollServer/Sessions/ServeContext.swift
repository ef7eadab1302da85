/// What a worker's sessions share while one of them is served.
package struct ServeContext: ~Copyable {
    /// How often a session reads or writes in one turn before the next has its own.
    static let callsPerTurn = 8

    /// Where bytes are read to; empty whenever a session begins to be served.
    var scratch = Buffer()

    /// Where bytes wait that an end of a session did not take.
    var pool = BufferPool()

    /// Pipes for bulk.
    var splicePipes: SplicePipePool

    /// The present millisecond, read once a turn.
    var now: UInt64

    /// What the last session that was served has done.
    var turn = Turn()

    /// What a session has done while it was served.
    struct Turn {
        var bytesIn: UInt64 = 0
        var bytesOut: UInt64 = 0
        /// The bytes from and to its server.
        var server = ServerTally()
        /// Whether its server was reached.
        var hasConnected = false
        /// Whether the first of its ways has ended.
        var hasHalfClosed = false
        /// Whether it waits for the rest of a request's head.
        var awaitsHead = false
        /// Whether one of its ends came short of room, and is not watched for that.
        var isBlocked = false
    }

    /// The text of chargen, several times over.
    let characters = Session.chargenText()

    /// The line of daytime.
    var daytime = DaytimeLine()
}
