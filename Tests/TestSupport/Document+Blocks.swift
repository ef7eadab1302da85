extension Document {
    /// A fenced code block.
    package struct Block {
        /// The word after the fence, such as `json`.
        package let language: String
        package let text: String
    }

    /// All code blocks in order.
    package var blocks: [Block] {
        var blocks: [Block] = []
        var language: String?
        var content = ""
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if !line.hasPrefix("```") {
                content += "\(line)\n"
            } else if let open = language {
                blocks.append(Block(language: open, text: content))
                language = nil
            } else {
                language = String(line.dropFirst(3))
                content = ""
            }
        }
        return blocks
    }
}
