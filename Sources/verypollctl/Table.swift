internal import Console

/// Rows of text in columns that are as wide as their widest cell.
struct Table {
    /// Which edge of a column its cells keep to.
    enum Alignment: Sendable {
        case left
        case right
    }

    /// One piece of text.
    struct Cell: ExpressibleByStringInterpolation, Sendable {
        var text: DisplayText
        var style: Style

        /// Makes a cell, in which nothing can steer the terminal.
        init(_ text: String, _ style: Style = .plain) {
            self.text = DisplayText(text)
            self.style = style
        }

        init(stringLiteral text: String) {
            self.init(text)
        }
    }

    private let columns: [(title: String, alignment: Alignment)]
    private let folding: Set<String>
    private var rows: [[Cell]] = []
    /// What is to be said below a row, by the row's index.
    private var remarks: [Int: Cell] = [:]

    /// Makes a table without rows.
    ///
    /// - Parameters:
    ///   - columns: The titles of the columns, and how their cells are aligned.
    ///   - folding: The titles of those that go below the rows where there is no room beside.
    init(
        _ columns: (title: String, alignment: Alignment)...,
        folding: Set<String> = []
    ) {
        self.columns = columns
        self.folding = folding
    }

    /// Whether it has no rows.
    var isEmpty: Bool { rows.isEmpty }

    /// Adds a row, with a cell for each column.
    mutating func append(_ row: Cell...) {
        precondition(row.count == columns.count, "a row of another table")
        rows.append(row)
    }

    /// Says something below the row that was added last.
    mutating func remark(_ remark: Cell) {
        remarks[rows.count - 1] = remark
    }

    /// The rows as lines, below a line with the titles if there is to be a header.
    ///
    /// Where they would be wider than the terminal, the columns that fold go below the rows.
    func lines(header: Bool, on terminal: Terminal) -> [DisplayText] {
        let titles = columns.map { Cell($0.title, .underlined) }
        let widths = columns.indices.map { index in
            ((header ? [titles] : []) + rows).map { $0[index].text.count }.max() ?? 0
        }
        let width = widths.reduce(2 * (widths.count - 1), +)
        let isFolded = terminal.columns.map { width > $0 } ?? false
        let below = columns.indices.filter { isFolded && folding.contains(columns[$0].title) }
        let beside = columns.indices.filter { !below.contains($0) }
        var lines = header ? [line(of: titles, beside, widths: widths, on: terminal)] : []
        for (index, row) in rows.enumerated() {
            let line = line(of: row, beside, widths: widths, on: terminal)
            if !line.isEmpty { lines.append(line) }
            let folded = below.map { row[$0] }.filter { !$0.text.isEmpty }
            if !folded.isEmpty {
                let texts = folded.map { terminal.styled($0.text, $0.style) }
                lines.append("  └ " + texts.joined(separator: "  "))
            }
            guard let remark = remarks[index] else { continue }
            lines.append("  └ " + terminal.styled(remark.text, remark.style))
        }
        return lines
    }

    private func line(
        of row: [Cell],
        _ indices: [Int],
        widths: [Int],
        on terminal: Terminal
    ) -> DisplayText {
        var line: DisplayText = ""
        var pending = ""
        for index in indices {
            let cell = row[index]
            let padding = String(repeating: " ", count: widths[index] - cell.text.count)
            if columns[index].alignment == .right { pending += padding }
            // Blanks are written only once something follows them.
            if !cell.text.isEmpty {
                line += DisplayText(pending) + terminal.styled(cell.text, cell.style)
                pending = ""
            }
            pending += columns[index].alignment == .left ? padding + "  " : "  "
        }
        return line
    }
}
