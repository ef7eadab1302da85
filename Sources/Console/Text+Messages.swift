// How messages show text from a configuration.

extension String {
    /// The text, or its beginning if it is too long for a message.
    package var shortened: String {
        let limit = 64
        return count > limit ? prefix(limit) + "…" : self
    }

    /// The text in double quotes, shortened.
    package var quoted: String { "\"\(shortened)\"" }
}

extension Sequence<String> {
    /// The texts in double quotes, separated by commas.
    package var quotedList: String { map(\.quoted).joined(separator: ", ") }
}
