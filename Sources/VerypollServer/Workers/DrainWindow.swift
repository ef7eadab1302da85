// How sessions are drained.
//
// A drain ends the sessions of the whole daemon (at a stop), of one listener (removed by a reload),
// or of one server (set to drain). It lasts for `drain.deadline` at most. Three rules:
//
// - A session that moves bytes may continue until the deadline; an operator who sets a deadline
//   promises that much time.
// - A silent session ends earlier, because nothing is lost: in the first quarter of the window if
//   it has been silent for a third of the window, in the last quarter if it has been silent for a
//   second.
// - Sessions that end early do so at different moments, spread evenly by their IDs. Clients whose
//   sessions end together would reconnect together.
//
// Nothing polls for this. Each drained session's timer is set to the moment at which the session
// would end if it stayed silent; if bytes have moved since, the timer is set again.

/// The period of a drain; it determines the moment at which each session ends.
package struct DrainWindow: Equatable, Sendable {
    /// The millisecond in which the drain begins.
    package let begin: UInt64
    /// The millisecond in which the last session ends.
    package let end: UInt64
    /// The end in microseconds since 1970.
    package let deadlineTimestamp: Int

    /// Makes a window that begins now and lasts this many milliseconds.
    package init(from now: UInt64, lasting length: UInt64) {
        begin = now
        let (timestamp, isLate) = WallClock.microseconds().addingReportingOverflow(
            Int(clamping: length.multipliedReportingOverflow(by: 1_000).partialValue)
        )
        deadlineTimestamp = isLate ? .max : timestamp
        // The current time may be anywhere in its millisecond, and no session may end early.
        let (moment, overflows) = now.addingReportingOverflow(length)
        end = overflows || moment == .max ? .max : moment + 1
    }

    /// The shortest time without bytes after which a session is silent, in milliseconds.
    private static let shortestSilence: UInt64 = 1_000

    /// The shortest window over which the ends of sessions are spread, in milliseconds.
    private static let shortestSpread: UInt64 = 2_000

    /// Returns the millisecond in which a session ends if it moves no more bytes until then.
    ///
    /// A session that has been silent for a third of the window ends in the first quarter, or later
    /// as soon as it has been silent for that long. In the last quarter, each session ends at its
    /// own moment if it has been silent for a second by then. All others end with the window.
    package func moment(id: UInt64, activeAt: UInt64) -> UInt64 {
        let length = end - begin
        let spread = length < Self.shortestSpread ? 0 : length / 4
        // The upper bits of a product, so that consecutive IDs are spread far apart.
        let lot = id.mixed.multipliedFullWidth(by: spread).high
        let silence = max(length / 3, Self.shortestSilence)
        let early = max(begin + lot, activeAt + silence)
        let late = max(end - lot, activeAt + Self.shortestSilence)
        return min(early, late, end)
    }
}

/// The drains in progress.
package struct Drains: Equatable, Sendable {
    /// The drain of all sessions.
    package var all: DrainWindow?
    /// The drains of listeners, by slot.
    package var listeners: [Int: DrainWindow] = [:]
    /// The drains of servers.
    package var servers: [ServerIndex: DrainWindow] = [:]

    package init(
        all: DrainWindow? = nil,
        listeners: [Int: DrainWindow] = [:],
        servers: [ServerIndex: DrainWindow] = [:]
    ) {
        self.all = all
        self.listeners = listeners
        self.servers = servers
    }

    /// Whether no drain is in progress.
    package var isEmpty: Bool { all == nil && listeners.isEmpty && servers.isEmpty }

    /// Returns the millisecond in which a drain ends a session; `nil` if the session is not
    /// drained.
    package func moment(for session: borrowing Session) -> UInt64? {
        var first: UInt64?
        func consider(_ window: DrainWindow?) {
            guard let window else { return }
            let moment = window.moment(id: session.id, activeAt: session.activeAt)
            first = min(first ?? .max, moment)
        }
        consider(all)
        if !listeners.isEmpty { consider(listeners[session.listener]) }
        if !servers.isEmpty, let upstream = session.proxyState.connector.upstream,
            let server = session.proxyState.connector.server
        {
            consider(servers[ServerIndex(upstream: upstream, server: server)])
        }
        return first
    }
}
