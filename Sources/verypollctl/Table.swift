internal import Console

/// Rows of text in columns that are as wide as their widest cell.
struct Table {
    /// The alignment of the cells in a column.
    enum Alignment: Sendable {
        case left
        case right
    }

    /// A cell with a styled text.
    struct Cell: ExpressibleByStringInterpolation, Sendable {
        var text: DisplayText
        var style: Style

        /// Makes a cell whose text cannot control the terminal.
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
    /// The remarks below rows, by the index of the row.
    private var remarks: [Int: Cell] = [:]

    /// Makes a table without rows.
    ///
    /// - Parameters:
    ///   - columns: The titles and the alignments of the columns.
    ///   - folding: The titles of the columns that are printed below the row if the row is too
    ///     wide.
    init(
        _ columns: (title: String, alignment: Alignment)...,
        folding: Set<String> = []
    ) {
        self.columns = columns
        self.folding = folding
    }

    /// Whether the table has no rows.
    var isEmpty: Bool { rows.isEmpty }

    /// Adds a row, with a cell for each column.
    mutating func append(_ row: Cell...) {
        precondition(row.count == columns.count, "the row does not match the columns")
        rows.append(row)
    }

    /// Adds a remark below the row that was added last.
    mutating func remark(_ remark: Cell) {
        remarks[rows.count - 1] = remark
    }

    /// Returns the rows as lines, below a line of titles if `header` is set.
    ///
    /// If the rows are wider than the terminal, the folding columns are printed below the rows.
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
            // Spaces are written only if text follows, so that lines have no trailing spaces.
            if !cell.text.isEmpty {
                line += DisplayText(pending) + terminal.styled(cell.text, cell.style)
                pending = ""
            }
            pending += columns[index].alignment == .left ? padding + "  " : "  "
        }
        return line
    }
}
