#if OSPoll && Net
import Verypoll

/// What the model knows of one end of a connected pair.
///
/// Bytes on their way belong to the end that is to read them.
struct ModelEnd {
    enum Kind { case unix, tcp }

    /// The most load under which the writer has room for certain: a Unix socket is writable while
    /// its bytes fill less than a quarter of 208 KiB, and TCP has more.
    static let lightLoad = 32_768

    var kind = Kind.unix

    /// The socket, or `nil` once it was closed.
    var socket: (any ModelSocket)?

    /// How it is registered, if it is.
    var registration: ModelRegistration?

    /// How many bytes there are to be read.
    var unread = 0

    /// What those may take of the kernel's memory at most, since there were none.
    var load = 0

    /// The writer found no room, and nothing was read since.
    var isFull = false

    /// Bytes wait at the writer's side of a TCP connection, to come when they come.
    var isRestless = false

    /// It was restless once, so that the kernel may tell of room at any time.
    var wasRestless = false

    /// No more bytes come than `unread`.
    var receiveEnded = false

    /// A write fails.
    var sendEnded = false

    /// The connection was reset.
    var isBroken = false

    static func load(of count: Int) -> Int { 2 * count + 1024 }

    mutating func receive(_ count: Int) {
        unread += count
        load += Self.load(of: count)
        guard kind == .tcp, load > Self.lightLoad else { return }
        isRestless = true
        wasRestless = true
    }

    mutating func take(_ count: Int) {
        guard count > 0 else { return }
        unread -= count
        isFull = false
        if unread == 0 { becomeEmpty() }
    }

    mutating func becomeEmpty() {
        unread = 0
        load = 0
        isFull = false
        isRestless = false
    }
}

/// How an end is registered, and what has been told about it.
struct ModelRegistration {
    let token: Token
    let interest: Interest
    let mode: RegistrationMode

    /// What must be told in the edge modes if it is so: what was not told since the registration,
    /// or since a call found that it was no longer so.
    var armed: EventFlags = .all

    /// A one-shot that was reported.
    var isSpent = false

    /// Nothing has happened to the pair since the last report, so that there is no new edge.
    var isQuiet = false

    /// An event has said that the end is near, so that a short read need not be the last.
    var toldReadClosed = false

    /// The latest event, for the log.
    var lastTold: EventFlags = []

    var isEdge: Bool { mode == .edge || mode == .edgeOneShot }

    mutating func note(_ told: EventFlags) {
        armed.subtract(told)
        // Told once, a hang-up need not be told again before the source is drained.
        armed.subtract([.readClosed, .writeClosed])
        if told.contains(.readClosed) { toldReadClosed = true }
        isSpent = mode == .oneShot || mode == .edgeOneShot
        isQuiet = true
        lastTold = told
    }
}

/// What an event says.
struct EventFlags: OptionSet, CustomStringConvertible {
    let rawValue: UInt8

    static let readable = EventFlags(rawValue: 1 << 0)
    static let writable = EventFlags(rawValue: 1 << 1)
    static let priority = EventFlags(rawValue: 1 << 2)
    static let error = EventFlags(rawValue: 1 << 3)
    static let readClosed = EventFlags(rawValue: 1 << 4)
    static let writeClosed = EventFlags(rawValue: 1 << 5)
    static let all = EventFlags(rawValue: 0x3F)

    init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    init(_ event: Event) {
        self = []
        if event.isReadable { insert(.readable) }
        if event.isWritable { insert(.writable) }
        if event.isPriority { insert(.priority) }
        if event.isError { insert(.error) }
        if event.isReadClosed { insert(.readClosed) }
        if event.isWriteClosed { insert(.writeClosed) }
    }

    var description: String {
        let names = ["readable", "writable", "priority", "error", "readClosed", "writeClosed"]
        let set = names.enumerated().filter { rawValue & 1 << $0.offset != 0 }
        return "[\(set.map(\.element).joined(separator: " "))]"
    }
}

/// What an event must say now, and what it may say.
struct Readiness {
    var certain: EventFlags = []
    var possible: EventFlags = []

    /// The truth about `end`, whose other end is `other`.
    init(of end: ModelEnd, facing other: ModelEnd) {
        let isHungUp = end.isBroken || end.receiveEnded && end.sendEnded
        if end.unread > 0 || end.receiveEnded || isHungUp { certain.insert(.readable) }
        if other.load <= ModelEnd.lightLoad { certain.insert(.writable) }
        if end.receiveEnded || isHungUp { certain.insert(.readClosed) }
        if isHungUp { certain.insert(.writeClosed) }
        possible = certain
        // Where the writer's room is unknown, and where a write would fail rather than block.
        if !other.isFull || end.kind == .tcp || end.sendEnded { possible.insert(.writable) }
        if end.isBroken { possible.insert(.error) }
    }

    /// The part of it that a registration is to tell.
    func told(by registration: ModelRegistration) -> Readiness {
        guard !registration.isSpent else { return Readiness() }
        var part = self
        if !registration.interest.contains(.readable) {
            part.remove(.readable)
            // Only a hang-up is told to those who did not ask.
            if !certain.contains(.writeClosed) { part.certain.remove(.readClosed) }
        }
        if !registration.interest.contains(.writable) { part.remove(.writable) }
        if registration.mode == .exclusive, !certain.contains(.writeClosed) {
            part.certain.remove(.readClosed)
        }
        if registration.isEdge { part.certain.formIntersection(registration.armed) }
        if registration.isEdge, registration.isQuiet { part.possible = [] }
        return part
    }

    private init() {}

    private mutating func remove(_ flags: EventFlags) {
        certain.remove(flags)
        possible.remove(flags)
    }
}
#endif
