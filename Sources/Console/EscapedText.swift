extension String {
    /// The text on one line, with an escape such as `\u001B` in place of each character that
    /// controls a terminal; see ``Swift/Unicode/Scalar/steersTerminal``.
    ///
    /// The escapes are those of JSON, so an escaped JSON document has the same meaning. Backslashes
    /// are not escaped, so text that is already escaped does not change.
    package var escapedForPeople: String {
        guard needsEscaping else { return self }
        var result = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            if scalar.steersTerminal {
                let digits = String(scalar.value, radix: 16, uppercase: true)
                let zeros = String(repeating: "0", count: max(0, 4 - digits.count))
                result.append(contentsOf: "\\u\(zeros)\(digits)".unicodeScalars)
            } else {
                result.append(scalar)
            }
        }
        return String(result)
    }

    /// Whether a character in the text controls a terminal.
    package var needsEscaping: Bool { unicodeScalars.contains(where: \.steersTerminal) }
}

extension Unicode.Scalar {
    /// Whether the character controls a terminal or changes where other characters are shown.
    ///
    /// These are C0, DEL and C1, the line and paragraph separators, and the controls of the
    /// bidirectional algorithm, which can make text look like other text; see UAX #9.
    package var steersTerminal: Bool {
        switch value {
        case 0...0x1F, 0x7F...0x9F, 0x2028, 0x2029: true
        case 0x061C, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}
