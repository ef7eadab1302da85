/// The formats of metrics as text.
package enum MetricsFormat: CaseIterable, Sendable {
    /// OpenMetrics 1.0.
    case openMetrics
    /// Prometheus' own, 0.0.4, which every tool understands.
    case classic

    /// What HTTP calls it.
    package var contentType: String {
        switch self {
        case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
        case .classic: "text/plain; version=0.0.4; charset=utf-8"
        }
    }
}
