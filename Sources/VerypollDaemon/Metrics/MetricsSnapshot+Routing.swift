internal import Synchronization
internal import VerypollServer

extension MetricsSnapshot.Listener {
    /// Takes the counts of a listener's router.
    mutating func take(_ router: Router) {
        inspections = InspectionOutcome.allCases.map { ($0, router.inspections.count(of: $0)) }
        routes = router.routes.map { route in
            MetricsSnapshot.Route(
                name: route.name,
                active: route.counter.active.load(ordering: .relaxed),
                sessions: route.counter.sessions.load(ordering: .relaxed)
            )
        }
    }
}

extension MetricsSnapshot {
    /// Writes the results of inspections and the sessions of routes.
    func writeRoutes(to writer: inout some MetricsWriter) {
        let inspections = listeners.flatMap { listener in
            listener.inspections.map { inspection in
                let labels: MetricLabels = [
                    "listener": listener.name, "outcome": inspection.outcome.rawValue,
                ]
                return (labels: labels, element: inspection.count)
            }
        }
        writer.counters(
            "verypolld_listener_inspections",
            "The clients whose first bytes were inspected, by the result.",
            inspections
        ) { $0 }
        let routes = listeners.flatMap { listener in
            listener.routes.map { route in
                let labels: MetricLabels = ["listener": listener.name, "route": route.name]
                return (labels: labels, element: route)
            }
        }
        writer.counters(
            "verypolld_route_sessions",
            "The sessions that the route matched.",
            routes,
            \.sessions
        )
        writer.gauges(
            "verypolld_route_active_sessions",
            "The sessions that are open.",
            routes,
            \.active
        )
    }
}
