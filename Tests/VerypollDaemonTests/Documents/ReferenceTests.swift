import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import VerypollControl
@testable import VerypollDaemon
@testable import VerypollServer

@Suite("verypolld(8) and docs/observability.md")
struct ReferenceTests {
    private let manual: Document
    private let guide: Document

    init() throws {
        manual = try Document("man/verypolld.8.in")
        guide = try Document("docs/observability.md")
    }

    // MARK: Metrics

    /// The names of all metrics, as samples have them, and their types.
    private var types: [String: String] {
        let families = MetricFamily.all(of: MetricsSnapshotTests.sample)
        return Dictionary(uniqueKeysWithValues: families.map { ($0.name, $0.type) })
    }

    @Test("both list the metrics of the daemon")
    func listMetrics() {
        let names = Set(types.keys)
        #expect(names.count > 30)
        #expect(Set(manual.terms(ofSection: "METRICS")) == names)
        let listed = guide.codes(below: "## Metrics").filter { $0.contains("_") }
        let values = UpstreamRefusal.allCases.map(\.rawValue) + ServerErrorKind.allCases.map(\.name)
        #expect(Set(listed).subtracting(values) == names)
    }

    @Test("the article about routing lists every result of an inspection")
    func listOutcomes() throws {
        let article = try Document("docs/tls-names.md")
        let rows = article.rows(below: "### Outcomes").dropFirst()
        let listed = rows.compactMap { article.codes(in: $0[0]).first }
        #expect(listed == InspectionOutcome.allCases.map(\.rawValue))
    }

    @Test("the guide has the type of every metric")
    func listTypes() {
        let rows = guide.rows(below: "## Metrics")
        for (name, type) in types {
            let row = rows.first { $0[0] == "`\(name)`" }
            #expect(row?[1] == type, "\(name)")
        }
    }

    @Test("the guide lists the reasons for which an upstream refuses clients")
    func listRefusals() {
        let listed = guide.codes(below: "### Upstreams").filter { !$0.hasPrefix("verypolld_") }
        #expect(listed.filter { $0 != "reason" } == UpstreamRefusal.allCases.map(\.rawValue))
    }

    @Test("the guide lists the kinds of the errors of servers")
    func listErrorKinds() {
        let listed = guide.codes(below: "### Servers").filter { !$0.hasPrefix("verypolld_") }
        #expect(listed.filter { $0 != "kind" } == ServerErrorKind.allCases.map(\.name))
    }

    // MARK: The journal

    @Test("both list the fields of the journal")
    func listFields() throws {
        let fields = try LogCall.all().allFields.union(["MESSAGE_ID"])
        #expect(Set(manual.terms(ofSection: "JOURNAL FIELDS")) == fields)
        #expect(Set(guide.codes(below: "### Fields")) == fields)
    }

    @Test("the guide lists every message identifier with its fields")
    func listMessages() throws {
        let calls = try LogCall.all()
        let rows = guide.rows(below: "### Messages").filter { $0[0].hasPrefix("`") && $0.count > 3 }
        let listed = rows.map { row in guide.codes(in: row[0]).first ?? "" }
        #expect(listed.filter { $0.count == 32 } == JournalMessageID.allCases.map(\.rawValue))
        for (kind, row) in zip(JournalMessageID.allCases, rows.filter { $0[0].count == 34 }) {
            let fields = Set(guide.codes(in: row[3]).map { "VERYPOLL_" + $0 })
            #expect(fields == calls.of(kind).allFields, "\(kind)")
        }
    }

    /// The reasons for the ends of sessions, by the words of the guide for their details.
    private var endReasons: [String] {
        let error = Errno.connectionReset
        let header = ProxyHeader.Reason.fields
        let all: [Session.EndReason] = [
            .completed, .failed(error), .serverFailed(error), .noServer(.down),
            .noServer(.unreachable(error)), .noServer(.queueFull), .noServer(.queueTimeout),
            .serverDown, .malformedHeader(header), .notTLS, .malformedHello(.end), .helloTooLarge,
            .noRoute, .serverHasNoTLS, .invalidAnswer, .notAdmitted(.accessRules),
            .timedOut(.firstByte), .timedOut(.idle), .timedOut(.halfClosed), .timedOut(.lifetime),
            .timedOut(.proxyHeader), .timedOut(.inspect), .timedOut(.requestHead), .killed,
            .drained, .stopped,
            .handedOff,
        ]
        return all.map { reason in
            switch reason {
            // With a reason or a timeout that is added here, the list above needs it as well.
            case .completed, .failed, .serverFailed, .serverDown, .malformedHeader, .notAdmitted,
                .notTLS, .malformedHello, .helloTooLarge, .noRoute, .serverHasNoTLS, .invalidAnswer,
                .killed, .drained, .stopped, .handedOff,
                .noServer(.down), .noServer(.unreachable), .noServer(.queueFull),
                .noServer(.queueTimeout), .timedOut(.firstByte), .timedOut(.idle),
                .timedOut(.halfClosed), .timedOut(.lifetime), .timedOut(.proxyHeader),
                .timedOut(.requestHead), .timedOut(.inspect):
                "\(reason)".replacing("\(error)", with: "ERROR")
                    .replacing(header.rawValue, with: "DEFECT")
                    .replacing(ClientHello.Reason.end.rawValue, with: "DEFECT")
            case .timedOut(.connector), .timedOut(.drain): "never a reason of their own"
            }
        }
    }

    @Test("the guide lists the reasons for which sessions end")
    func listEndReasons() {
        let listed = guide.rows(below: "### End reasons").compactMap { row in
            guide.codes(in: row[0]).first
        }
        #expect(listed == endReasons)
    }

    @Test("the guide lists the codes of the reasons")
    func listReasonCodes() {
        let listed = guide.rows(below: "### End reasons").dropFirst().flatMap { row in
            guide.codes(in: row[1])
        }
        #expect(listed == SessionEndCode.allCases.map(\.name))
    }

    @Test("the guide lists the causes for which clients are refused")
    func listRefusalCauses() {
        let listed = guide.codes(below: "### Refused clients")
        #expect(listed == RefusalCause.allCases.map(\.name))
    }

    // MARK: Events

    @Test("the guide and the interface file list the kinds of events")
    func listEvents() {
        let kinds = MonitorEvent.Kind.allCases.map(\.rawValue)
        #expect(guide.codes(below: "## Events") == kinds)
        let file = DaemonInterface.description.matches(of: /# - ([a-z-]+):/)
        #expect(file.map { String($0.output.1) } == kinds)
    }

    // MARK: The process

    @Test("the manual page, the guide and --help list the exit statuses")
    func listExitStatuses() throws {
        let source = try Document("Sources/verypolld/Verypolld.swift").text
        let used = Set(source.matches(of: /\bEX_[A-Z]+/).map { String($0.output) })
        let known = ["EX_USAGE": EX_USAGE, "EX_OSERR": EX_OSERR, "EX_CONFIG": EX_CONFIG]
        #expect(used == Set(known.keys))
        let statuses = ["0"] + known.values.sorted().map(String.init)
        #expect(manual.terms(ofSection: "EXIT STATUS") == statuses)
        #expect(guide.rows(below: "### verypolld").map { $0[0] }.dropFirst() == statuses[...])
        let help = try Program.run("verypolld", ["--help"]).standardOutput
        let start = try #require(help.firstRange(of: "Exit status:"))
        let sentence = help[start.upperBound...].prefix { $0 != "." }
        #expect(sentence.matches(of: /\d+/).map { String($0.output) } == statuses)
    }

    @Test("the manual page lists the variables that the daemon reads")
    func listVariables() throws {
        let listed = manual.terms(ofSection: "ENVIRONMENT")
        let files = [
            "Systemd/DescriptorStore.swift", "Systemd/LogDestination.swift",
            "VerypollDaemon/Supervisor/Launch.swift",
        ]
        for file in files {
            let source = try Document("Sources/\(file)").text
            let names = source.matches(of: /(?:getenv|variable|number)\("([A-Z_]+)"\)/)
            #expect(!names.isEmpty, "\(file)")
            for name in names { #expect(listed.contains(String(name.output.1)), "\(file)") }
        }
    }
}
