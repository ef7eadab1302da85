/// All metrics of the daemon: the reply of `GetMetrics`.
package struct MetricsText: Codable, Hashable, Sendable {
    package var text: String

    /// Makes a reply from OpenMetrics text.
    package init(text: String) {
        self.text = text
    }
}
