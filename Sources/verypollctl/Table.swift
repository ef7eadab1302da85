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

    /// Makes a table without rows.
    init(_ columns: (title: String, alignment: Alignment)...) {
        self.columns = columns
    }

    /// Adds a row, with a cell for each column.
    mutating func append(_ row: Cell...) {
        precondition(row.count == columns.count, "a row of another table")
        rows.append(row)
    }

    /// The rows as lines, below a line with the titles if there is to be a header.
    func lines(header: Bool, on terminal: Terminal) -> [String] {
        let titles = columns.map { Cell($0.title, .underlined) }
        let rows = header ? [titles] + self.rows : self.rows
        let widths = columns.indices.map { index in
            rows.map { $0[index].text.count }.max() ?? 0
        }
        return rows.map { row in
            columns.indices.map { index in
                let cell = row[index]
                let padding = String(repeating: " ", count: widths[index] - cell.text.count)
                let text = terminal.styled(cell.text, cell.style)
                switch columns[index].alignment {
                // No blanks at the ends of lines.
                case .left: return index == columns.count - 1 ? text : text + padding
                case .right: return padding + text
                }
            }
            .joined(separator: "  ")
        }
    }
}

/// Text without characters that steer a terminal: they are shown as U+FFFD.
func printable(_ text: String) -> String {
    let scalars = text.unicodeScalars.map { scalar -> Unicode.Scalar in
        scalar.properties.generalCategory == .control ? "\u{FFFD}" : scalar
    }
    return String(String.UnicodeScalarView(scalars))
}
