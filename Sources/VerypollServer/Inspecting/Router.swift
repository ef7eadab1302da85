package import Synchronization
package import VerypollConfiguration

/// How a listener with inspection chooses the upstreams of its sessions.
package final class Router: Sendable {
    /// A route, and the count of its sessions.
    package struct Entry: Sendable {
        package let name: String
        /// The slot of the upstream.
        let upstream: Int
        package let counter: RouteCounter
    }

    /// The kind of first bytes that are read.
    package let inspection: Routing.Inspection

    /// The routes, in the order of `Routing.routes`.
    package let routes: [Entry]

    /// The counts of the results of inspections.
    package let inspections: InspectionCounters

    let table: RouteTable

    /// The slot of the upstream for sessions that no route matches; `nil` if they are refused.
    let upstream: Int?

    /// The slot of the upstream for clients that do not begin with TLS; `nil` if they are refused.
    let notTLS: Int?

    /// Makes a router.
    ///
    /// - Parameters:
    ///   - routing: The configuration.
    ///   - upstreams: The slots of its upstreams, in the order of `Routing.upstreams`.
    ///   - former: The router that this one replaces; the counts go on.
    init(_ routing: Routing, upstreams: [Int], former: Router?) {
        inspection = routing.inspection
        table = RouteTable(routing.routes)
        let counters = Dictionary((former?.routes ?? []).map { ($0.name, $0.counter) }) { $1 }
        routes = zip(routing.routes, upstreams).map { route, upstream in
            Entry(
                name: route.name,
                upstream: upstream,
                counter: counters[route.name] ?? RouteCounter()
            )
        }
        var rest = upstreams.dropFirst(routes.count)
        upstream = routing.upstream == nil ? nil : rest.popFirst()
        notTLS = routing.notTLS == nil ? nil : rest.popFirst()
        inspections = former?.inspections ?? InspectionCounters()
    }
}

/// The counts of a route's sessions, for all workers at once.
package final class RouteCounter: Sendable {
    /// The open sessions.
    package let active = Atomic(0)
    /// The sessions since the start.
    package let sessions = Atomic<UInt64>(0)

    /// Counts a session that begins, also one of the previous process.
    func enter(isNew: Bool) {
        active.add(1, ordering: .relaxed)
        if isNew { sessions.add(1, ordering: .relaxed) }
    }

    /// Counts the end of a session.
    func leave() { active.subtract(1, ordering: .relaxed) }
}

/// The result of an inspection: a value of the label `outcome`.
package enum InspectionOutcome: String, CaseIterable, Sendable {
    /// A route matched the client.
    case matched
    /// No route matched the client, which sent no name or none that is valid.
    case noName = "no_name"
    /// No route matched the client, which sent a name.
    case noMatch = "no_match"
    /// The client did not begin with TLS.
    case notTLS = "not_tls"
    /// The client's ClientHello was malformed.
    case malformed
    /// The time `inspect` ran out.
    case timedOut = "timed_out"
    /// The client's ClientHello was too large.
    case tooLarge = "too_large"
}

/// Counts the results of a listener's inspections, for all workers at once.
package final class InspectionCounters: Sendable {
    private let counts: [7 of Atomic<UInt64>] = .init { _ in Atomic(0) }

    /// Counts an inspection.
    func add(_ outcome: InspectionOutcome) {
        counts[Self.index(of: outcome)].add(1, ordering: .relaxed)
    }

    /// Returns the number of inspections with this result.
    package func count(of outcome: InspectionOutcome) -> UInt64 {
        counts[Self.index(of: outcome)].load(ordering: .relaxed)
    }

    private static func index(of outcome: InspectionOutcome) -> Int {
        switch outcome {
        case .matched: 0
        case .noName: 1
        case .noMatch: 2
        case .notTLS: 3
        case .malformed: 4
        case .timedOut: 5
        case .tooLarge: 6
        }
    }
}
