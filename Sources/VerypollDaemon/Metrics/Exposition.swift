internal import VerypollServer

/// Metrics as text, in one of the two formats that Prometheus reads.
///
/// A family without samples is left out, unless the exposition describes all families.
struct Exposition: MetricsWriter {
    private enum Kind: String {
        case counter, gauge, histogram, info
    }

    private let format: MetricsFormat
    private let describesAll: Bool
    private var text = ""

    /// Begins a text.
    ///
    /// - Parameters:
    ///   - format: The format of the text.
    ///   - describesAll: Whether to write the metadata of families without samples too, for a list
    ///     of all metrics.
    init(_ format: MetricsFormat, describesAll: Bool = false) {
        self.format = format
        self.describesAll = describesAll
    }

    mutating func counters<Element, Value: CustomStringConvertible>(
        _ name: String,
        _ help: String,
        _ elements: [Labeled<Element>],
        _ value: (Element) -> Value?
    ) {
        write(.counter, name, help, suffix: "_total", elements, value)
    }

    mutating func gauges<Element, Value: CustomStringConvertible>(
        _ name: String,
        _ help: String,
        _ elements: [Labeled<Element>],
        _ value: (Element) -> Value?
    ) {
        write(.gauge, name, help, suffix: "", elements, value)
    }

    mutating func info(_ name: String, _ help: String, _ labels: MetricLabels) {
        write(.info, name, help, suffix: "_info", [(labels, 1)]) { $0 }
    }

    mutating func histograms<Element, Scale>(
        _ name: String,
        _ help: String,
        _ elements: [Labeled<Element>],
        _ value: (Element) -> Histogram<Scale>
    ) {
        guard !elements.isEmpty || describesAll else { return }
        begin(.histogram, name, help, suffix: "")
        let bounds = Scale.bounds.indices.map { "\(seconds(Scale.bounds[$0]))" } + ["+Inf"]
        for (labels, element) in elements {
            let histogram = value(element)
            var count: UInt64 = 0
            for bucket in histogram.counts.indices {
                count += histogram.counts[bucket]
                line("\(name)_bucket", "\(labels.text),le=\"\(bounds[bucket])\"", count)
            }
            line("\(name)_sum", labels.text, seconds(histogram.sum))
            line("\(name)_count", labels.text, count)
        }
    }

    /// Returns the complete text.
    consuming func finish() -> [UInt8] {
        if format == .openMetrics { text += "# EOF\n" }
        return Array(text.utf8)
    }

    private mutating func write<Element, Value: CustomStringConvertible>(
        _ kind: Kind,
        _ name: String,
        _ help: String,
        suffix: String,
        _ elements: [Labeled<Element>],
        _ value: (Element) -> Value?
    ) {
        var isBegun = false
        for (labels, element) in elements {
            guard let value = value(element) else { continue }
            if !isBegun { begin(kind, name, help, suffix: suffix) }
            isBegun = true
            line(name + suffix, labels.text, value)
        }
        if !isBegun, describesAll { begin(kind, name, help, suffix: suffix) }
    }

    private mutating func begin(_ kind: Kind, _ name: String, _ help: String, suffix: String) {
        switch format {
        case .openMetrics:
            text += "# TYPE \(name) \(kind.rawValue)\n"
            for unit in ["seconds", "bytes"] where name.hasSuffix("_\(unit)") {
                text += "# UNIT \(name) \(unit)\n"
            }
            text += "# HELP \(name) \(help)\n"
        case .classic:
            // The classic format has no type `info`, and its names include the suffix.
            let word = kind == .info ? "gauge" : kind.rawValue
            text += "# HELP \(name)\(suffix) \(help)\n# TYPE \(name)\(suffix) \(word)\n"
        }
    }

    private mutating func line(
        _ name: String,
        _ labels: String,
        _ value: some CustomStringConvertible
    ) {
        text += name
        if !labels.isEmpty { text += "{\(labels)}" }
        text += " \(value.description)\n"
    }
}
