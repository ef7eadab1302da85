internal import StrictJSON
internal import VerypollControl
internal import VerypollServer

/// Metrics in the form of `io.systemd.Metrics`.
///
/// The families are those of ``Exposition``, with names in the style of systemd:
/// `verypolld_listener_accepted_total` becomes `io.verypoll.Daemon.ListenerAcceptedTotal`. systemd
/// has no histograms and no metrics that consist of labels alone. A histogram therefore becomes a
/// counter of its sum and one of its values, and a metric of labels becomes a text for each label.
struct MetricsReport: MetricsWriter {
    /// The values, family by family.
    private(set) var metrics: [ReportedMetric] = []
    /// All families, including those without a value.
    private(set) var families: [ReportedFamily] = []

    /// Creates a report of a snapshot.
    init(_ snapshot: MetricsSnapshot) {
        snapshot.write(to: &self)
    }

    mutating func counters<Element, Value: CustomStringConvertible>(
        _ name: String,
        _ help: String,
        _ elements: [Labeled<Element>],
        _ value: (Element) -> Value?
    ) {
        add(.counter, name + "_total", help, elements, value)
    }

    mutating func gauges<Element, Value: CustomStringConvertible>(
        _ name: String,
        _ help: String,
        _ elements: [Labeled<Element>],
        _ value: (Element) -> Value?
    ) {
        add(.gauge, name, help, elements, value)
    }

    mutating func info(_ name: String, _ help: String, _ labels: MetricLabels) {
        for (label, value) in labels.pairs {
            let note = "This is the label \(label) of the metric for Prometheus."
            let family = begin(.string, "\(name)_\(label)", "\(help) \(note)")
            metrics.append(ReportedMetric(name: family, value: .string(value)))
        }
    }

    mutating func histograms<Element, Scale>(
        _ name: String,
        _ help: String,
        _ elements: [Labeled<Element>],
        _ value: (Element) -> Histogram<Scale>
    ) {
        add(.counter, name + "_sum", help + " Their sum.", elements) { seconds(value($0).sum) }
        add(.counter, name + "_count", help + " Their number.", elements) { value($0).count }
    }

    private mutating func add<Element, Value: CustomStringConvertible>(
        _ kind: ReportedFamily.Kind,
        _ name: String,
        _ help: String,
        _ elements: [Labeled<Element>],
        _ value: (Element) -> Value?
    ) {
        let family = begin(kind, name, help)
        for (labels, element) in elements {
            guard let value = value(element) else { continue }
            metrics.append(
                ReportedMetric(
                    name: family,
                    object: labels.object,
                    value: JSONValue(.number(value.description)),
                    fields: labels.fields
                )
            )
        }
    }

    /// Adds a family.
    ///
    /// - Returns: The name of the family.
    private mutating func begin(
        _ kind: ReportedFamily.Kind,
        _ name: String,
        _ help: String
    ) -> String {
        let words = name.split(separator: "_").drop { $0 == "verypolld" }
        let capitalized = words.map { $0.prefix(1).uppercased() + $0.dropFirst() }
        let family = MetricsInterface.prefix + capitalized.joined()
        families.append(ReportedFamily(name: family, description: help, type: kind))
        return family
    }
}

extension MetricLabels {
    /// The labels that name a part of the daemon, of which `server` follows `upstream`.
    private static let parts: Set = ["listener", "upstream", "server", "worker"]

    /// The part of the daemon that the sample is about; `nil` for the daemon itself.
    fileprivate var object: String? {
        let names = pairs.filter { Self.parts.contains($0.name) }.map(\.value)
        return names.isEmpty ? nil : names.joined(separator: "/")
    }

    /// The labels that are not in ``object``; `nil` if there are none.
    fileprivate var fields: [String: String]? {
        let others = pairs.filter { !Self.parts.contains($0.name) }
        guard !others.isEmpty else { return nil }
        return Dictionary(others.map { ($0.name, $0.value) }) { first, _ in first }
    }
}
