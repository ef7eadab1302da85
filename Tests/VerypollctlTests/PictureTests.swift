import Console
import Foundation
import TestSupport
import Testing
import VerypollControl

@testable import verypollctl

@Suite("README pictures")
struct PictureTests {
    private static let terminal = Terminal(isInteractive: false, hasColor: false)

    /// Returns the column titles in lines: words of capital letters at the head of a table.
    private static func titles(in lines: [DisplayText]) -> Set<Substring> {
        let heads = lines.map(\.description).filter {
            $0.wholeMatch(of: /[A-Z][A-Z\/ ]*/) != nil
        }
        return Set(heads.flatMap { $0.split(separator: " ") })
    }

    private static let report = StatusReport(
        status: Sample.status,
        now: Sample.start,
        terminal: terminal
    ).lines(hasLegend: true)

    private static let sample = TopSample(
        from: .init(status: Sample.status, timestamp: Sample.start, instant: .now),
        to: .init(status: Sample.status, timestamp: Sample.start + 1_000_000, instant: .now)
    ).lines(header: true, on: terminal)

    @Test(
        "the pictures have the columns that the command prints",
        arguments: ["status", "top"],
        ["light", "dark"]
    )
    func haveColumns(verb: String, theme: String) throws {
        let path = "\(Repository.path)/docs/pictures/\(verb)-\(theme).svg"
        let picture = try String(contentsOfFile: path, encoding: .utf8)
        let shown = Set(picture.matches(of: />([A-Z][A-Z\/]*)</).map(\.output.1))
        let printed = Self.titles(in: verb == "status" ? Self.report : Self.sample)
        #expect(printed.count > 5)
        #expect(shown == printed, "run Scripts/pictures")
    }
}
