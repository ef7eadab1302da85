@testable import VerypollDaemon
@testable import VerypollServer

/// A metric of the daemon, as the OpenMetrics text of a snapshot describes it.
struct MetricFamily {
    /// The name that samples have, without the suffixes of a histogram.
    var name: String
    var type: String
    var unit = ""
    /// The labels, without `le`; `nil` if the snapshot has no sample of the metric.
    var labels: [String]?
    var help = ""

    /// Returns all metrics in the order of the text, those without samples included.
    static func all(of snapshot: MetricsSnapshot) -> [MetricFamily] {
        let bytes = snapshot.exposition(in: .openMetrics, describingAll: true)
        var families: [MetricFamily] = []
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 3).map(String.init)
            switch (words[0], words[1]) {
            case ("#", "TYPE"):
                let suffix = ["counter": "_total", "info": "_info"][words[3]] ?? ""
                families.append(MetricFamily(name: words[2] + suffix, type: words[3]))
            case ("#", "UNIT"): families[families.count - 1].unit = words[3]
            case ("#", "HELP"): families[families.count - 1].help = words[3]
            case ("#", _): break
            default: families[families.count - 1].labels = labels(of: line)
            }
        }
        return families
    }

    private static func labels(of sample: Substring) -> [String] {
        // A value can contain escaped quotes, so that only a label can precede `="`.
        sample.matches(of: /[{,]([a-z_]+)="/).map { String($0.output.1) }.filter { $0 != "le" }
    }

    /// The row of the table of all metrics.
    var row: String {
        let labels = (labels ?? []).map { "`\($0)`" }.joined(separator: ", ")
        let cells = ["`\(name)`", type, unit, labels, help.replacing("|", with: "\\|")]
        return "| " + cells.joined(separator: " | ") + " |"
    }
}
