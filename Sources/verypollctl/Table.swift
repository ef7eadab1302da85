/// Rows of text in columns that are as wide as their widest cell.
struct Table {
    /// Which edge of a column its cells keep to.
    enum Alignment: Sendable {
        case left
        case right
    }

    /// One piece of text.
    struct Cell: ExpressibleByStringInterpolation, Sendable {
        var text: String
        var style: Style

        /// Makes a cell, in which nothing can steer the terminal.
        init(_ text: String, _ style: Style = .plain) {
            self.text = printable(text)
            self.style = style
        }

        init(stringLiteral text: String) {
            self.init(text)
        }
    }

    private let columns: [(title: String, alignment: Alignment)]
    private var rows: [[Cell]] = []
    /// What is to be said below a row, by the row's index.
    private var remarks: [Int: Cell] = [:]

    /// Makes a table without rows.
    init(_ columns: (title: String, alignment: Alignment)...) {
        self.columns = columns
    }

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
    func lines(header: Bool, on terminal: Terminal) -> [String] {
        let titles = columns.map { Cell($0.title, .underlined) }
        let widths = columns.indices.map { index in
            ((header ? [titles] : []) + rows).map { $0[index].text.count }.max() ?? 0
        }
        var lines = header ? [line(of: titles, widths: widths, on: terminal)] : []
        for (index, row) in rows.enumerated() {
            lines.append(line(of: row, widths: widths, on: terminal))
            guard let remark = remarks[index] else { continue }
            lines.append("  └ " + terminal.styled(remark.text, remark.style))
        }
        return lines
    }

    private func line(of row: [Cell], widths: [Int], on terminal: Terminal) -> String {
        var line = ""
        var pending = ""
        for (index, cell) in row.enumerated() {
            let padding = String(repeating: " ", count: widths[index] - cell.text.count)
            if columns[index].alignment == .right { pending += padding }
            // Blanks are written only once something follows them.
            if !cell.text.isEmpty {
                line += pending + terminal.styled(cell.text, cell.style)
                pending = ""
            }
            pending += columns[index].alignment == .left ? padding + "  " : "  "
        }
        return line
    }
}

/// Text without characters that steer a terminal: they are shown as U+FFFD.
func printable(_ text: String) -> String {
    let scalars = text.unicodeScalars.map { scalar -> Unicode.Scalar in
        scalar.properties.generalCategory == .control ? "\u{FFFD}" : scalar
    }
    return String(String.UnicodeScalarView(scalars))
}
