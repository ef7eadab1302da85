import StrictJSON
import Testing
import VerypollControl

@testable import VerypollDaemon
@testable import VerypollServer

@Suite("MetricsReport")
struct MetricsReportTests {
    private static let prefix = "io.verypoll.Daemon."

    private let report = MetricsReport(MetricsSnapshotTests.sample)

    /// Returns the only value of a family for an object and fields.
    private func value(
        _ name: String,
        _ object: String? = nil,
        _ fields: [String: String]? = nil
    ) -> JSONValue? {
        let found = report.metrics.filter {
            $0.name == Self.prefix + name && $0.object == object && $0.fields == fields
        }
        return found.count == 1 ? found[0].value : nil
    }

    @Test("values appear under the names, objects and fields of systemd's style")
    func lists() {
        #expect(value("ListenerAcceptedTotal", "web") == 9)
        #expect(value("ListenerReceivedBytesTotal", "web") == 30)
        #expect(value("ListenerActiveSessions", "web") == 2)
        #expect(value("ListenerMaxSessions", "echo") == nil)
        #expect(value("SessionsEndedTotal", "web", ["reason": "client_reset"]) == 4)
        #expect(value("RouteSessionsTotal", "echo", ["route": "shop"]) == 6)
        #expect(value("UpstreamWaitingSessions", "app") == 1)
        #expect(value("UpstreamRefusedTotal", "app", ["reason": "down"]) == 7)
        #expect(value("UpstreamDiscoveryFailuresTotal", "app", ["srv": "new.example"]) == 0)
        #expect(value("ServerSessionsTotal", "app/10.0.0.1:80") == 5)
        #expect(value("ServerUp", "app/unix:/run/\"app\".sock") == 0)
        #expect(value("UpstreamErrorsTotal", "app/10.0.0.1:80", ["kind": "connect_refused"]) == 6)
        #expect(value("WorkerPollsTotal", "0") == 4)
        #expect(value("ActiveSessions") == 3)
        #expect(value("ReloadsTotal", nil, ["result": "applied"]) == 3)
        #expect(value("ProcessOpenFds") == 12)
    }

    @Test("durations are numbers of seconds with a fraction")
    func listsSeconds() {
        #expect(value("ProcessCpuSecondsTotal") == JSONValue(.number("1.5")))
        #expect(value("WorkerBusySecondsTotal", "0") == JSONValue(.number("1.25")))
        #expect(
            value("UpstreamDiscoveryAgeSeconds", "app", ["srv": "a.example"])
                == JSONValue(.number("2.5"))
        )
    }

    @Test("a histogram is a counter of its sum and one of its values")
    func listsHistograms() {
        #expect(value("ListenerSessionDurationSecondsSum", "web") == JSONValue(.number("2.5")))
        #expect(value("ListenerSessionDurationSecondsCount", "web") == 1)
        #expect(value("ServerConnectDurationSecondsCount", "app/10.0.0.1:80") == 1)
        let kinds = report.families.filter { $0.name.contains("SessionDuration") }.map(\.type)
        #expect(kinds == [.counter, .counter])
        #expect(!report.metrics.contains { $0.name.contains("Bucket") })
    }

    @Test("a metric that consists of labels is a text for each label")
    func listsTexts() {
        #expect(value("BuildVersion") == "1.2.3")
        #expect(value("BuildOs") == "linux")
        #expect(value("BuildArch") == JSONValue.string(BuildTarget.architecture))
        #expect(value("ConfigurationHash") == "cbf29ce484222325")
        let texts = report.families.filter { $0.type == .string }.map(\.name)
        #expect(
            texts
                == ["BuildVersion", "BuildOs", "BuildArch", "ConfigurationHash"].map {
                    Self.prefix + $0
                }
        )
    }

    @Test("every metric for Prometheus is reported, with its help text")
    func isComplete() {
        var expected: [String] = []
        for family in MetricFamily.all(of: MetricsSnapshotTests.sample) {
            let words = family.name.split(separator: "_").filter { $0 != "verypolld" }
            let name = words.map(\.capitalized).joined()
            switch family.type {
            case "histogram": expected += [name + "Sum", name + "Count"]
            case "info":
                let stem = name.dropLast("Info".count)
                expected += (family.labels ?? []).map { stem + $0[...].capitalized }
            default: expected.append(name)
            }
            let described = report.families.contains { $0.description.hasPrefix(family.help) }
            #expect(described, "\(family.name)")
        }
        #expect(report.families.map(\.name) == expected.map { Self.prefix + $0 })
        #expect(report.families.allSatisfy { $0.description.hasSuffix(".") })
    }

    @Test("there is one value for each sample for Prometheus, besides buckets and labels")
    func countsSamples() {
        let bytes = MetricsSnapshotTests.sample.exposition(in: .openMetrics)
        let samples = String(decoding: bytes, as: UTF8.self).split(separator: "\n").filter { line in
            let name = line.prefix { $0 != "{" && $0 != " " }
            return !name.hasPrefix("#") && !name.hasSuffix("_bucket") && !name.hasSuffix("_info")
        }
        let texts = report.metrics.filter { $0.value.string != nil }
        #expect(report.metrics.count == samples.count + texts.count)
    }

    @Test("no two values have the same name, object and fields")
    func isUnambiguous() {
        struct Key: Hashable {
            let name: String
            let object: String?
            let fields: [String: String]?
        }
        let keys = report.metrics.map { metric in
            Key(name: metric.name, object: metric.object, fields: metric.fields)
        }
        #expect(Set(keys).count == report.metrics.count)
    }

    @Test("every value has a family, whose type it has")
    func matchesFamilies() throws {
        let types = Dictionary(uniqueKeysWithValues: report.families.map { ($0.name, $0.type) })
        for metric in report.metrics {
            let type = try #require(types[metric.name], "\(metric.name)")
            #expect((metric.value.string != nil) == (type == .string), "\(metric.name)")
        }
        #expect(Set(report.metrics.map(\.name)) == Set(types.keys))
    }

    @Test("families without a value are described as well")
    func describesAll() {
        let empty = MetricsReport(MetricsSnapshot(version: "1"))
        #expect(empty.families == report.families)
        #expect(!empty.metrics.contains { $0.name.contains("Listener") })
    }
}

extension Substring {
    fileprivate var capitalized: String { prefix(1).uppercased() + dropFirst() }
}
