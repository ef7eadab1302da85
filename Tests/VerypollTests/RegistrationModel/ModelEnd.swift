#if OSPoll && Net
import Verypoll

/// The model's state of one end of a connected pair.
///
/// Bytes in transit are counted at the receiving end.
struct ModelEnd {
    enum Kind { case unix, tcp }

    /// The highest load at which the writer certainly has room: a Unix socket is writable while its
    /// bytes fill less than a quarter of 208 KiB, and TCP has more room.
    static let lightLoad = 32_768

    var kind = Kind.unix

    /// The socket, or `nil` once it is closed.
    var socket: (any ModelSocket)?

    /// The registration, if any.
    var registration: ModelRegistration?

    /// The number of unread bytes.
    var unread = 0

    /// The most kernel memory that bytes may have taken since the end was last empty.
    var load = 0

    /// The writer found no room, and nothing has been read since.
    var isFull = false

    /// Bytes wait in the writer's TCP send buffer, and may arrive at any time.
    var isRestless = false

    /// The end was restless once, so the kernel may report room at any time.
    var wasRestless = false

    /// No bytes arrive beyond `unread`.
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

/// A registration, and what has been reported for it.
struct ModelRegistration {
    let token: Token
    let interest: Interest
    let mode: RegistrationMode

    /// Flags that the edge modes must report when they become true: flags not reported since the
    /// registration, or since a call found that they no longer held.
    var armed: EventFlags = .all

    /// A one-shot registration that has been reported.
    var isSpent = false

    /// Nothing has happened to the pair since the last report, so there is no new edge.
    var isQuiet = false

    /// An event has announced the end of file, so a short read need not be the last one.
    var toldReadClosed = false

    /// The latest event's flags, for the log.
    var lastTold: EventFlags = []

    var isEdge: Bool { mode == .edge || mode == .edgeOneShot }

    mutating func note(_ told: EventFlags) {
        armed.subtract(told)
        // A hang-up that was reported once need not be reported again before the source is drained.
        armed.subtract([.readClosed, .writeClosed])
        if told.contains(.readClosed) { toldReadClosed = true }
        isSpent = mode == .oneShot || mode == .edgeOneShot
        isQuiet = true
        lastTold = told
    }
}

/// The flags of an event.
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

/// The flags that an event must have now, and the flags that it may have.
struct Readiness {
    var certain: EventFlags = []
    var possible: EventFlags = []

    /// Computes the flags for `end`, whose peer is `other`.
    init(of end: ModelEnd, facing other: ModelEnd) {
        let isHungUp = end.isBroken || end.receiveEnded && end.sendEnded
        if end.unread > 0 || end.receiveEnded || isHungUp { certain.insert(.readable) }
        if other.load <= ModelEnd.lightLoad { certain.insert(.writable) }
        if end.receiveEnded || isHungUp { certain.insert(.readClosed) }
        if isHungUp { certain.insert(.writeClosed) }
        possible = certain
        // `.writable` is possible while the writer's room is unknown, or where a write would fail
        // instead of blocking.
        if !other.isFull || end.kind == .tcp || end.sendEnded { possible.insert(.writable) }
        if end.isBroken { possible.insert(.error) }
    }

    /// Returns the flags that a registration must and may report.
    func told(by registration: ModelRegistration) -> Readiness {
        guard !registration.isSpent else { return Readiness() }
        var part = self
        if !registration.interest.contains(.readable) {
            part.remove(.readable)
            // Without interest in reading, only a hang-up is reported.
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
