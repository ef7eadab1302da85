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

    /// The index of the text among those that are merged into one document, from 0.
    package var file: Int

    /// Creates a position.
    package init(line: Int, column: Int, file: Int = 0) {
        self.line = line
        self.column = column
        self.file = file
    }
}

extension SourcePosition: Comparable {
    package static func < (left: SourcePosition, right: SourcePosition) -> Bool {
        (left.file, left.line, left.column) < (right.file, right.line, right.column)
    }
}

extension SourcePosition: CustomStringConvertible {
    /// `LINE:COLUMN`.
    package var description: String { "\(line):\(column)" }
}
