import TestSupport
import Testing

@testable import VerypollServer

/// `JournalMessageIDTests` compare the identifiers and the form of the entries.
@Suite("The journal's catalog")
struct CatalogTests {
    private let catalog: Document
    private let calls: [LogCall]

    init() throws {
        catalog = try Document("systemd/verypolld.catalog")
        calls = try LogCall.all()
    }

    /// Returns the subject and the text of an entry.
    private func entry(_ kind: JournalMessageID) throws -> Substring {
        let start = try #require(catalog.text.firstRange(of: "-- \(kind.rawValue)\n"))
        let rest = catalog.text[start.upperBound...]
        return rest[..<(rest.firstRange(of: "\n-- ")?.lowerBound ?? rest.endIndex)]
    }

    @Test("the sources log every identifier", arguments: JournalMessageID.allCases)
    func isLogged(_ kind: JournalMessageID) {
        #expect(!calls.of(kind).isEmpty)
    }

    @Test(
        "every message has the fields that the placeholders of its entry name",
        arguments: JournalMessageID.allCases
    )
    func fillsPlaceholders(_ kind: JournalMessageID) throws {
        let names = Set(try entry(kind).matches(of: /@([A-Z_]+)@/).map { String($0.output.1) })
        for call in calls.of(kind) {
            let missing = names.subtracting(call.fields)
            #expect(missing.isEmpty, "\(call.place)")
        }
    }

    @Test("an entry names only fields of its messages", arguments: JournalMessageID.allCases)
    func namesFields(_ kind: JournalMessageID) throws {
        let names = try entry(kind).matches(of: /VERYPOLL_[A-Z_]*[A-Z]/).map { String($0.output) }
        let unknown = Set(names).subtracting(calls.of(kind).allFields)
        #expect(unknown.isEmpty)
    }

    @Test("the catalog names the file of the identifiers")
    func namesFile() throws {
        let path = try #require(catalog.text.firstMatch(of: /Sources\/\S+\.swift/)?.output)
        #expect(try Document(String(path)).text.contains("enum JournalMessageID"))
    }
}
