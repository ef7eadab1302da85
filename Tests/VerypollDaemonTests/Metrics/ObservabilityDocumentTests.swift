import Foundation
import Glibc
import SystemPackage
import TestSupport
import Testing
import VerypollControl

@testable import Systemd
@testable import VerypollDaemon
@testable import VerypollServer

@Suite("docs/observability.md")
struct ObservabilityDocumentTests {
    private let document: MarkdownDocument

    init() throws {
        document = try MarkdownDocument("docs/observability.md")
    }

    /// Returns the code spans in the first column of the tables of a section.
    private func names(under heading: String) -> [String] {
        document.rows(under: heading).flatMap { $0[0].codeSpans }
    }

    @Test("it lists every metric with its type, and no other")
    func listsMetrics() {
        let snapshot = MetricsSnapshot(
            version: "1",
            process: ProcessUsage(processorTime: 1, openDescriptors: 1, descriptorLimit: 1),
            listeners: [.init(name: "l", maxSessions: 1)],
            upstreams: [
                .init(
                    name: "u",
                    maxSessions: 1,
                    refusals: UpstreamRefusal.allCases.map { ($0, 1) }
                )
            ],
            servers: [.init(upstream: "u", address: "s")],
            workers: [.init(index: 0)]
        )
        let text = String(decoding: snapshot.exposition(in: .classic), as: UTF8.self)
        let exposed = text.matches(of: /# TYPE (\S+ \w+)/).map { String($0.output.1) }
        let documented = document.rows(under: "## Metrics").filter { $0.count == 3 }.map { row in
            // The classic format has gauges of 1 instead of infos.
            "\(row[0].codeSpans[0]) \(row[1] == "info" ? "gauge" : row[1])"
        }
        #expect(Set(documented) == Set(exposed))
        #expect(documented.count == exposed.count)
    }

    @Test("it lists every reason for which an upstream refuses a client")
    func listsRefusals() {
        let reasons = names(under: "### Upstreams").filter { !$0.hasPrefix("verypolld_") }
        #expect(reasons == UpstreamRefusal.allCases.map(\.rawValue))
    }

    private static let timeouts: [Session.Timeout] = [
        .firstByte, .idle, .halfClosed, .lifetime, .proxyHeader, .requestHead,
    ]

    private static let reasons: [Session.EndReason] =
        [
            .completed, .failed(.brokenPipe), .serverFailed(.brokenPipe), .noServer(.down),
            .noServer(.unreachable(.brokenPipe)), .noServer(.queueFull), .noServer(.queueTimeout),
            .serverDown, .malformedHeader(.line), .notAdmitted, .killed, .drained, .stopped,
            .handedOff,
        ] + timeouts.map { .timedOut($0) }

    /// Whether `reasons` has the reason; add a new one there and to the document.
    private func isListed(_ reason: Session.EndReason) -> Bool {
        switch reason {
        case .completed, .failed, .serverFailed, .noServer, .serverDown, .malformedHeader,
            .notAdmitted, .killed, .drained, .stopped, .handedOff:
            true
        case .timedOut(let timeout):
            switch timeout {
            case .firstByte, .idle, .halfClosed, .lifetime, .proxyHeader, .requestHead: true
            // The worker handles these two without a reason of their own.
            case .connector, .drain: false
            }
        }
    }

    @Test("it lists every end reason, and no other")
    func listsEndReasons() {
        #expect(Self.reasons.allSatisfy(isListed))
        let described = Self.reasons.map { reason in
            reason.description
                .replacing("\(Errno.brokenPipe)", with: "ERROR")
                .replacing(ProxyHeader.Reason.line.rawValue, with: "DEFECT")
        }
        let documented = names(under: "### End reasons")
        #expect(Set(documented) == Set(described))
        #expect(documented.count == described.count)
    }

    @Test("it lists the identifiers of all messages in the order of the code")
    func listsMessages() {
        #expect(names(under: "### Messages") == JournalMessageID.allCases.map(\.rawValue))
    }

    /// Returns the metadata keys that the daemon's sources log.
    private func loggedKeys() throws -> Set<String> {
        let pattern =
            /"([a-z]+[A-Za-z]*)": "\\\(|metadata\["(\w+)"\]|metadata\(of: \w+, \["(\w+)"/
        var keys: Set<String> = []
        for folder in ["Sources/VerypollServer", "Sources/VerypollDaemon"] {
            let names = try FileManager.default.subpathsOfDirectory(
                atPath: "\(Repository.path)/\(folder)"
            )
            // Labels of metrics look the same.
            for name in names where name.hasSuffix(".swift") && !name.hasPrefix("Metrics/") {
                for match in try Repository.text(of: "\(folder)/\(name)").matches(of: pattern) {
                    let key = match.output.1 ?? match.output.2 ?? match.output.3
                    if let key { keys.insert(String(key)) }
                }
            }
        }
        return keys
    }

    @Test("it lists every field of the journal, and no other")
    func listsFields() throws {
        let documented = names(under: "### Fields")
        let logged = try loggedKeys().map(fieldName(for:))
        #expect(Set(documented) == Set(logged + ["MESSAGE_ID"]))
        for row in document.rows(under: "### Messages") {
            for field in row[3].codeSpans { #expect(documented.contains("VERYPOLL_\(field)")) }
        }
    }

    @Test("it lists every kind of event")
    func listsEvents() {
        let documented = names(under: "## Events")
        #expect(documented == MonitorEvent.Kind.allCases.map(\.rawValue))
    }

    @Test("it lists every exit status of verypolld")
    func listsExitStatuses() throws {
        let known = ["EX_USAGE": EX_USAGE, "EX_OSERR": EX_OSERR, "EX_CONFIG": EX_CONFIG]
        let source = try Repository.text(of: "Sources/verypolld/Verypolld.swift")
        let used = try source.matches(of: /EX_[A-Z]+/).map { match in
            try #require(known[String(match.output)])
        }
        let documented = document.rows(under: "### verypolld").compactMap { Int32($0[0]) }
        #expect(documented == [0] + Set(used).sorted())
    }
}
