/// A position in a text.
package struct SourcePosition: Hashable, Sendable {
    /// The line number, from 1.
    ///
    /// A line ends with a line feed.
    package var line: Int

    /// The number of the Unicode scalar in its line, from 1.
    ///
    /// A tab counts as one.
    package var column: Int

    /// Creates a position.
    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }
}

extension SourcePosition: Comparable {
    package static func < (left: SourcePosition, right: SourcePosition) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

extension SourcePosition: CustomStringConvertible {
    /// `LINE:COLUMN`.
    package var description: String { "\(line):\(column)" }
}
