#if Net && OSExt
/// The time in which sessions are ended little by little: those first that are idle, and then, as
/// the end comes near, the others.
///
/// Nobody ends with many others at one moment: clients who come back at once would do so as a herd.
/// Each session has a place in the herd by its number.
struct DrainWindow: Equatable, Sendable {
    /// The millisecond in which it begins.
    let begin: UInt64
    /// The millisecond in which all are to have ended.
    let end: UInt64
    /// Its end in microseconds since 1970.
    let deadlineTimestamp: Int

    /// Makes the window of so many milliseconds from now on.
    init(from now: UInt64, lasting length: UInt64) {
        begin = now
        let (timestamp, isLate) = WallClock.microseconds().addingReportingOverflow(
            Int(clamping: length.multipliedReportingOverflow(by: 1_000).partialValue)
        )
        deadlineTimestamp = isLate ? .max : timestamp
        // The present millisecond is not over yet, and no session is to end early.
        let (moment, overflows) = now.addingReportingOverflow(length)
        end = overflows || moment == .max ? .max : moment + 1
    }

    /// The shortest silence that makes a session an idle one, in milliseconds.
    private static let shortestIdle: UInt64 = 1_000

    /// The shortest window that is worth to be spread over, in milliseconds.
    private static let shortestSpread: UInt64 = 2_000

    /// The millisecond in which a session is to end if it does nothing more until then.
    ///
    /// Idle is a session that nothing has passed through for a third of the time. The idle ones end
    /// in the first quarter of it, or when they have become idle; the others in the last quarter.
    func moment(id: UInt64, activeAt: UInt64) -> UInt64 {
        let length = end - begin
        let spread = length < Self.shortestSpread ? 0 : length / 4
        // The upper bits of a product, so that neighbours are far apart.
        let lot = id.mixed.multipliedFullWidth(by: spread).high
        let idle = max(begin + lot, activeAt + max(length / 3, Self.shortestIdle))
        return min(idle, end - lot)
    }
}

/// The drains that are under way.
struct Drains: Equatable, Sendable {
    /// That of all sessions.
    var all: DrainWindow?
    /// Those of listeners, by their slots.
    var listeners: [Int: DrainWindow] = [:]
    /// Those of servers.
    var servers: [ServerIndex: DrainWindow] = [:]

    /// Whether nothing is drained.
    var isEmpty: Bool { all == nil && listeners.isEmpty && servers.isEmpty }

    /// When a session is to end for being drained, or `nil` if it is not.
    func moment(for session: borrowing Session) -> UInt64? {
        var first: UInt64?
        func consider(_ window: DrainWindow?) {
            guard let window else { return }
            let moment = window.moment(id: session.id, activeAt: session.activeAt)
            first = min(first ?? .max, moment)
        }
        consider(all)
        if !listeners.isEmpty { consider(listeners[session.listener]) }
        if !servers.isEmpty, session.route.server >= 0 {
            let route = session.route
            consider(
                servers[ServerIndex(upstream: Int(route.upstream), server: Int(route.server))]
            )
        }
        return first
    }
}
#endif
