import DaemonTestSupport
import Foundation
import Logging
import TestSupport
import Testing

@testable import VerypollConfiguration
@testable import VerypollServer

/// An entry of the journal's catalog.
private struct CatalogEntry {
    var identifier: String
    var headers: [String: String]
    var text: String

    /// Parses the catalog format of journalctl(1): `-- ID`, headers, an empty line, and the text.
    static func all(in catalog: String) -> [CatalogEntry] {
        let lines = catalog.split(separator: "\n", omittingEmptySubsequences: false)
            .filter { !$0.hasPrefix("#") }
        return lines.split { $0.hasPrefix("-- ") }.dropFirst().enumerated().map { index, body in
            let identifier = lines.filter { $0.hasPrefix("-- ") }[index].dropFirst(3)
            let headers = body.prefix { !$0.isEmpty }.map { line in
                let parts = line.split(separator: ":", maxSplits: 1).map {
                    $0.trimmingCharacters(in: .whitespaces)
                }
                return (parts[0], parts.count > 1 ? parts[1] : "")
            }
            return CatalogEntry(
                identifier: String(identifier),
                headers: Dictionary(headers) { first, _ in first },
                text: body.drop { !$0.isEmpty }.joined(separator: "\n")
                    .trimmingCharacters(in: .whitespacesAndNewlines)
            )
        }
    }
}

@Suite("JournalMessageID")
struct JournalMessageIDTests {
    private let entries: [CatalogEntry]

    init() throws {
        let file = "\(Repository.path)/systemd/verypolld.catalog"
        entries = CatalogEntry.all(in: try String(contentsOfFile: file, encoding: .utf8))
    }

    @Test("every kind has one catalog entry, and every entry has one kind")
    func matches() {
        #expect(entries.map(\.identifier) == JournalMessageID.allCases.map(\.rawValue))
        #expect(Set(entries.map(\.identifier)).count == entries.count)
    }

    @Test("identifiers have the journal's format: random UUIDs without dashes")
    func formsIdentifiers() throws {
        let form = try Regex("[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}")
        for kind in JournalMessageID.allCases {
            #expect(try form.wholeMatch(in: kind.rawValue) != nil, "\(kind)")
        }
    }

    @Test("every entry has a subject, an origin, a meaning and a remedy")
    func explains() {
        for entry in entries {
            #expect(entry.headers["Subject"]?.isEmpty == false, "\(entry.identifier)")
            #expect(entry.headers["Defined-By"] == "Verypoll", "\(entry.identifier)")
            // The meaning and the remedy are separate paragraphs.
            #expect(entry.text.contains("\n\n"), "\(entry.identifier)")
        }
    }

    @Test("an event is logged with its level, its identifier and its metadata")
    func logs() {
        let log = RecordingLog()
        log.logger.notice(.ready, "it is ready", metadata: ["workers": "2"])
        log.logger.info(.listening, "here")
        log.logger.warning(.serverDown, "down")
        log.logger.error(.failed, "cannot go on")
        let events = log.takeEvents()
        #expect(events.map(\.level) == [.notice, .info, .warning, .error])
        #expect(
            events.map { $0.metadata["messageID"] } == [
                "\(JournalMessageID.ready.rawValue)", "\(JournalMessageID.listening.rawValue)",
                "\(JournalMessageID.serverDown.rawValue)", "\(JournalMessageID.failed.rawValue)",
            ]
        )
        #expect(events[0].metadata["workers"] == "2")
        #expect(events[0].message == "it is ready")
    }
}
