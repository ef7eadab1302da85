/// The code blocks and tables of a document of the package.
package struct MarkdownDocument {
    /// A fenced code block.
    package struct Block {
        /// The word after the fence, such as `json`.
        package let language: String
        package let text: String
    }

    private let lines: [Substring]

    /// Reads a document, whose name is relative to the package.
    package init(_ name: String) throws {
        lines = try Repository.text(of: name).split(
            separator: "\n",
            omittingEmptySubsequences: false
        )
    }

    /// All code blocks in order.
    package var blocks: [Block] {
        var blocks: [Block] = []
        var language: String?
        var text = ""
        for line in lines {
            if !line.hasPrefix("```") {
                text += "\(line)\n"
            } else if let open = language {
                blocks.append(Block(language: open, text: text))
                language = nil
            } else {
                language = String(line.dropFirst(3))
                text = ""
            }
        }
        return blocks
    }

    /// The lines that are not part of a code block.
    private var linesOutsideOfBlocks: [Substring] {
        var isInBlock = false
        return lines.filter { line in
            if line.hasPrefix("```") { isInBlock.toggle() }
            return !isInBlock
        }
    }

    /// Returns the rows of the tables in a section and its subsections.
    ///
    /// - Parameter heading: The whole line of the heading, such as `### Fields`.
    /// - Returns: The cells of each row, without the tables' headers.
    package func rows(under heading: String) -> [[String]] {
        let level = heading.prefix { $0 == "#" }.count
        let section = linesOutsideOfBlocks.drop { $0 != heading }.dropFirst().prefix { line in
            let depth = line.prefix { $0 == "#" }.count
            return depth == 0 || depth > level
        }
        let tables = section.split { !$0.hasPrefix("|") }
        return tables.flatMap { table in
            // The header and the line below it.
            table.dropFirst(2).map { row in
                row.split(separator: "|", omittingEmptySubsequences: false).dropFirst().dropLast()
                    .map { $0.drop { $0 == " " }.description }
                    .map { String($0.reversed().drop { $0 == " " }.reversed()) }
            }
        }
    }
}

extension String {
    /// The texts between backquotes.
    package var codeSpans: [String] {
        matches(of: /`([^`]+)`/).map { String($0.output.1) }
    }
}
