import Foundation
import TestSupport
import Testing

@testable import VerypollDaemon
@testable import VerypollServer

@Suite("monitoring/metrics.md")
struct MetricsListTests {
    private let families = MetricFamily.all(of: MetricsSnapshotTests.sample)

    private static let head = """
        # Metrics

        All metrics of verypolld, as the daemon itself describes them.
        [Observing verypolld](../docs/observability.md#metrics) explains them.

        This file is generated: run `Scripts/metrics --update` after you change a metric.

        | Metric | Type | Unit | Labels | Help |
        | --- | --- | --- | --- | --- |

        """

    /// The whole file.
    private var list: String { Self.head + families.map { $0.row + "\n" }.joined() }

    @Test("the sample of these tests has a sample of every metric, so that its labels are listed")
    func isComplete() {
        let missing = families.filter { $0.labels == nil }.map(\.name)
        #expect(missing == [], "add them to MetricsSnapshotTests.sample")
    }

    @Test("every metric has a help text that is a sentence")
    func explains() {
        for family in families {
            #expect(family.help.count > 10 && family.help.hasSuffix("."), "\(family.name)")
        }
    }

    /// `Scripts/metrics --update` sets the variable.
    @Test("the file lists every metric of the daemon")
    func lists() throws {
        let path = "\(Repository.path)/monitoring/metrics.md"
        if ProcessInfo.processInfo.environment["VERYPOLL_UPDATE_METRICS"] == "1" {
            try list.write(toFile: path, atomically: true, encoding: .utf8)
        }
        let stored = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        let difference = list.split(separator: "\n").difference(from: stored)
        #expect(difference.isEmpty, "run Scripts/metrics --update")
    }

    @Test("a metric without samples is described only in a description of all metrics")
    func describesAll() {
        let empty = MetricsSnapshot(version: "1")
        let names = MetricFamily.all(of: empty).map(\.name)
        #expect(names == families.map(\.name))
        let text = String(decoding: empty.exposition(in: .openMetrics), as: UTF8.self)
        #expect(!text.contains("verypolld_listener"))
    }
}
