// How sessions are drained.
//
// A drain ends the sessions of the whole daemon (at a stop), of one listener (removed by a reload),
// or of one server (set to drain). It lasts for `drain.deadline` at most. Three rules:
//
// - A session that moves bytes may go on until the deadline; an operator who sets a deadline
//   promises that much time.
// - A silent session ends earlier, because nothing is lost by that: in the first quarter of the
//   window if it has been silent for a third of the window, in the last quarter if it has been
//   silent for a second.
// - Sessions that end early do so at different moments, spread evenly by their numbers. Clients
//   whose sessions end together would reconnect together.
//
// Nothing polls for this. Each drained session's timer is set to the moment at which the session
// would end if it stayed silent; if bytes have moved since, the timer is set again.

/// The time in which sessions are ended: silent ones little by little, and at its end those that
/// still move bytes.
///
/// Clients whose sessions end together reconnect together, so each session that is ended before the
/// end of the window has a moment of its own, by its number. A session that moves bytes has the
/// whole time, as an operator who sets a deadline promises it.
package struct DrainWindow: Equatable, Sendable {
    /// The millisecond in which it begins.
    package let begin: UInt64
    /// The millisecond in which all are to have ended.
    package let end: UInt64
    /// Its end in microseconds since 1970.
    package let deadlineTimestamp: Int

    /// Makes the window of so many milliseconds from now on.
    package init(from now: UInt64, lasting length: UInt64) {
        begin = now
        let (timestamp, isLate) = WallClock.microseconds().addingReportingOverflow(
            Int(clamping: length.multipliedReportingOverflow(by: 1_000).partialValue)
        )
        deadlineTimestamp = isLate ? .max : timestamp
        // The present millisecond is not over yet, and no session is to end early.
        let (moment, overflows) = now.addingReportingOverflow(length)
        end = overflows || moment == .max ? .max : moment + 1
    }

    /// The shortest silence that makes a session a silent one, in milliseconds.
    private static let shortestSilence: UInt64 = 1_000

    /// The shortest window that is worth to be spread over, in milliseconds.
    private static let shortestSpread: UInt64 = 2_000

    /// The millisecond in which a session is to end if it does nothing more until then.
    ///
    /// A session that has been silent for a third of the window ends in the first quarter, or later
    /// as soon as it has been silent for so long. In the last quarter, each session ends at its own
    /// moment if it has been silent for a second by then. All others end with the window.
    package func moment(id: UInt64, activeAt: UInt64) -> UInt64 {
        let length = end - begin
        let spread = length < Self.shortestSpread ? 0 : length / 4
        // The upper bits of a product, so that neighbors are far apart.
        let lot = id.mixed.multipliedFullWidth(by: spread).high
        let silence = max(length / 3, Self.shortestSilence)
        let early = max(begin + lot, activeAt + silence)
        let late = max(end - lot, activeAt + Self.shortestSilence)
        return min(early, late, end)
    }
}

/// The drains that are under way.
package struct Drains: Equatable, Sendable {
    /// That of all sessions.
    package var all: DrainWindow?
    /// Those of listeners, by their slots.
    package var listeners: [Int: DrainWindow] = [:]
    /// Those of servers.
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

    /// Whether nothing is drained.
    package var isEmpty: Bool { all == nil && listeners.isEmpty && servers.isEmpty }

    /// When a session is to end for being drained, or `nil` if it is not.
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
