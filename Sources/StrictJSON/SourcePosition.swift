/// A place in a text.
package struct SourcePosition: Hashable, Sendable {
    /// The number of the line, the first being 1, where a line ends with a line feed.
    package var line: Int

    /// The number of the Unicode scalar in its line, the first being 1; a tab counts as one.
    package var column: Int

    /// Makes a place from its numbers.
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
