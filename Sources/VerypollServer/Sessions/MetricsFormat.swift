/// The text formats of metrics.
package enum MetricsFormat: CaseIterable, Sendable {
    /// OpenMetrics 1.0.
    case openMetrics
    /// Prometheus' own text format 0.0.4, which every tool understands.
    case classic

    /// The value of the `Content-Type` field.
    package var contentType: String {
        switch self {
        case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
        case .classic: "text/plain; version=0.0.4; charset=utf-8"
        }
    }
}
