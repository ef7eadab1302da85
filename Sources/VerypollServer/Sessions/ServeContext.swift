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

    /// The text of chargen, several times over.
    let characters = Session.chargenText()

    /// The line of daytime.
    var daytime = DaytimeLine()
}
