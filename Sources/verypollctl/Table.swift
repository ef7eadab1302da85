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
    private let dropping: [String]
    private let folding: [String]
    private var rows: [[Cell]] = []
    /// The remarks below rows, by the index of the row.
    private var remarks: [Int: Cell] = [:]

    /// Makes a table without rows.
    ///
    /// - Parameters:
    ///   - columns: The titles and the alignments of the columns.
    ///   - dropping: The titles of the columns that are left out if the rows are too wide, the
    ///     first one first.
    ///   - folding: The titles of the columns that are printed below the row if the row is still
    ///     too wide, the first one first.
    init(
        _ columns: (title: String, alignment: Alignment)...,
        dropping: [String] = [],
        folding: [String] = []
    ) {
        self.columns = columns
        self.dropping = dropping
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
    /// If the rows are wider than the terminal, columns are left out, and then others are printed
    /// below the rows.
    func lines(header: Bool, on terminal: Terminal) -> [DisplayText] {
        let titles = columns.map { Cell($0.title, .underlined) }
        let layout = layout(header: header, on: terminal)
        var lines = header ? [line(of: titles, layout, on: terminal)] : []
        for (index, row) in rows.enumerated() {
            let line = line(of: row, layout, on: terminal)
            if !line.isEmpty { lines.append(line) }
            let folded = layout.below.map { row[$0] }.filter { !$0.text.isEmpty }
            if !folded.isEmpty {
                let texts = folded.map { terminal.styled($0.text, $0.style) }
                lines.append("  └ " + texts.joined(separator: "  "))
            }
            guard let remark = remarks[index] else { continue }
            lines.append("  └ " + terminal.styled(remark.text, remark.style))
        }
        return lines
    }

    /// Returns the titles of the columns that are left out because the terminal is too narrow.
    func droppedTitles(on terminal: Terminal) -> [String] {
        let dropped = layout(header: true, on: terminal).dropped
        return columns.indices.filter(dropped.contains).map { columns[$0].title }
    }

    /// Returns a line about the columns that are left out, or no line if there are none.
    func omission(on terminal: Terminal) -> [DisplayText] {
        omissionLines(droppedTitles(on: terminal))
    }

    /// The places of the columns.
    private struct Layout {
        /// The width of each column.
        var widths: [Int]
        var beside: [Int]
        var below: [Int] = []
        var dropped: Set<Int> = []

        /// The width of a row.
        var width: Int { beside.reduce(2 * (beside.count - 1)) { $0 + widths[$1] } }
    }

    private func layout(header: Bool, on terminal: Terminal) -> Layout {
        let widths = columns.indices.map { index in
            let title = header ? columns[index].title.count : 0
            return rows.reduce(title) { max($0, $1[index].text.count) }
        }
        var layout = Layout(widths: widths, beside: Array(columns.indices))
        guard let limit = terminal.columns else { return layout }
        for title in dropping where layout.width > limit {
            guard let index = columns.firstIndex(where: { $0.title == title }) else { continue }
            layout.beside.removeAll { $0 == index }
            layout.dropped.insert(index)
        }
        for title in folding where layout.width > limit {
            guard let index = columns.firstIndex(where: { $0.title == title }) else { continue }
            layout.beside.removeAll { $0 == index }
            layout.below.append(index)
        }
        layout.below.sort()
        return layout
    }

    private func line(
        of row: [Cell],
        _ layout: Layout,
        on terminal: Terminal
    ) -> DisplayText {
        var line: DisplayText = ""
        var pending = ""
        for index in layout.beside {
            let cell = row[index]
            let padding = String(repeating: " ", count: layout.widths[index] - cell.text.count)
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

/// Returns a line about columns that are left out, or no line if there are none.
func omissionLines(_ titles: [String]) -> [DisplayText] {
    guard !titles.isEmpty else { return [] }
    return ["Left out for lack of width: \(titles.joined(separator: ", "))."]
}
