internal import Foundation

/// A document of the repository, whose lists tests compare with the code.
package struct Document {
    /// The whole text.
    package let text: String

    /// Reads a document.
    ///
    /// - Parameter path: The path in the repository.
    /// - Throws: A `CocoaError` if the file can't be read.
    package init(_ path: String) throws {
        text = try String(contentsOfFile: "\(Repository.path)/\(path)", encoding: .utf8)
    }

    private var lines: [Substring] {
        text.split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// Returns the lines of a section in the template of a manual page.
    package func lines(ofSection name: String) -> [Substring] {
        let rest = lines.drop { $0 != ".SH \(name)" }.dropFirst()
        return Array(rest.prefix { !$0.hasPrefix(".SH ") })
    }

    /// Returns the words that a section of a manual page's template defines, below `.TP`.
    package func terms(ofSection name: String) -> [String] {
        let section = lines(ofSection: name)
        let headings = zip(section, section.dropFirst()).filter { $0.0 == ".TP" }.map(\.1)
        return headings.flatMap { heading in
            heading.drop { $0 != " " }.matches(of: /[A-Za-z0-9_]+/).map { String($0.output) }
        }
    }

    /// Returns the cells of the Markdown tables below a heading, row by row, with their titles.
    package func rows(below heading: String) -> [[String]] {
        let level = heading.prefix { $0 == "#" }.count
        var isCode = false
        let prose = lines.filter { line in
            if line.hasPrefix("```") { isCode.toggle() }
            return !isCode
        }
        let rest = prose.drop { $0 != heading }.dropFirst()
        let section = rest.prefix { line in
            !line.hasPrefix("#") || line.prefix { $0 == "#" }.count > level
        }
        return section.filter { $0.hasPrefix("| ") && !$0.hasPrefix("| ---") }.map { row in
            let cells = row.split(separator: "|", omittingEmptySubsequences: false)
            return cells.dropFirst().dropLast().map { $0.trimmingCharacters(in: .whitespaces) }
        }
    }

    /// Returns the texts in backticks in one column of the tables below a heading.
    package func codes(below heading: String, column: Int = 0) -> [String] {
        rows(below: heading).flatMap { row in row.count > column ? codes(in: row[column]) : [] }
    }

    /// Returns the texts in backticks.
    package func codes(in cell: String) -> [String] {
        cell.matches(of: /`([^`]+)`/).map { String($0.output.1) }
    }
}
