extension MetricsSnapshot {
    /// Writes the metrics of services whose SRV records name servers.
    func writeServices(to writer: inout some MetricsWriter) {
        let all = services.map {
            (labels: ["upstream": $0.upstream, "srv": $0.name] as MetricLabels, element: $0)
        }
        writer.gauges(
            "verypolld_upstream_discovery_age_seconds",
            "The time since the last good answer with the SRV records of a service.",
            all
        ) { $0.age.map { seconds($0) } }
        writer.gauges(
            "verypolld_upstream_discovery_servers",
            "The servers of a service by the last good answer with its SRV records.",
            all
        ) { $0.servers }
        writer.counters(
            "verypolld_upstream_discovery_failures",
            "The failed questions for the SRV records of a service.",
            all,
            \.failures
        )
    }
}
