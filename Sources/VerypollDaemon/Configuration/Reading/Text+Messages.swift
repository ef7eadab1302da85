// How the texts of a configuration appear in messages.

extension String {
    /// The text, or its beginning if it is too long for a message.
    var shortened: String {
        let limit = 64
        return count > limit ? prefix(limit) + "…" : self
    }

    /// The text in double quotes, shortened.
    var quoted: String { "\"\(shortened)\"" }

    /// The text on one line, its control characters written as JSON's escapes.
    var withoutControlCharacters: String {
        var result = ""
        for scalar in unicodeScalars {
            if scalar.properties.generalCategory == .control {
                let hexadecimal = String(scalar.value, radix: 16, uppercase: true)
                result += "\\u" + String(repeating: "0", count: 4 - hexadecimal.count) + hexadecimal
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

extension Sequence<String> {
    /// The texts in quotes, with commas between them.
    var quotedList: String { map(\.quoted).joined(separator: ", ") }
}
