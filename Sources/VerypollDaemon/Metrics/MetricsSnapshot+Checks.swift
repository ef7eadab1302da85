internal import VerypollServer

/// A value of a server, and the label besides those of the server.
private struct Part<Value> {
    var label: (name: String, value: String)?
    var value: Value
}

extension MetricsSnapshot {
    private static let modes: [(name: String, order: ServerOrder)] = [
        ("up", .up), ("drain", .drain), ("down", .down),
    ]

    /// Writes the health, the checks and the modes of the servers.
    func writeChecks(to writer: inout some MetricsWriter) {
        let health = labeled { server in server.isHealthy.map { [Part(value: $0)] } ?? [] }
        writer.gauges(
            "verypolld_server_healthy",
            "1 if the health checks have found the server to be up, else 0.",
            health
        ) { $0 ? 1 : 0 }
        let presence = labeled { server in [Part(value: server.checks != nil)] }
        writer.gauges(
            "verypolld_server_has_check",
            "1 if the server has a health check, else 0.",
            presence
        ) { $0 ? 1 : 0 }
        let modes = labeled { server in
            Self.modes.map { Part(label: ("state", $0.name), value: server.adminState == $0.order) }
        }
        writer.gauges(
            "verypolld_server_admin_state",
            "1 for the mode that an operator or the configuration has set, 0 for the others.",
            modes
        ) { $0 ? 1 : 0 }
        let limits = labeled { server in server.maxSessions.map { [Part(value: $0)] } ?? [] }
        writer.gauges(
            "verypolld_server_max_sessions",
            "The most sessions that the server may have.",
            limits
        ) { $0 }
        let results: [Labeled<UInt64>] = labeled { server in
            guard let checks = server.checks else { return [] }
            return [
                Part(label: ("result", "succeeded"), value: checks.succeeded),
                Part(label: ("result", "failed"), value: checks.failed),
            ]
        }
        writer.counters(
            "verypolld_server_checks",
            "The health checks with a result.",
            results
        ) { $0 }
        let times = labeled { server in server.checks.map { [Part(value: $0.time)] } ?? [] }
        writer.histograms(
            "verypolld_server_check_duration_seconds",
            "The times that health checks took.",
            times
        ) { $0 }
    }

    /// Returns the parts of all servers with their labels.
    private func labeled<Value>(
        _ parts: (Server) -> [Part<Value>]
    ) -> [Labeled<Value>] {
        servers.flatMap { server in
            parts(server).map { part in
                var labels = [("upstream", server.upstream), ("server", server.address)]
                if let (name, value) = part.label { labels.append((name, value)) }
                return (labels: MetricLabels(labels), element: part.value)
            }
        }
    }
}
