extension String {
    /// The text on one line, with `\u001B` and the like in the place of each character that steers
    /// a terminal; see ``Swift/Unicode/Scalar/steersTerminal``.
    ///
    /// The form is that of JSON, so that a document of JSON says the same when it is escaped. A
    /// backslash stays as it is, so that text which is escaped already does not change.
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

    /// Whether a character in it steers a terminal.
    package var needsEscaping: Bool { unicodeScalars.contains(where: \.steersTerminal) }
}

extension Unicode.Scalar {
    /// Whether a terminal acts on the character, or shows others elsewhere because of it.
    ///
    /// These are C0, DEL and C1, the separators of lines and paragraphs, and the controls of the
    /// bidirectional algorithm, which make text read as another; see UAX #9.
    package var steersTerminal: Bool {
        switch value {
        case 0...0x1F, 0x7F...0x9F, 0x2028, 0x2029: true
        case 0x061C, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}
