internal import Console
internal import StrictJSON

/// The form of a key's value.
package indirect enum ValueForm: Sendable {
    case boolean
    /// An integer.
    case integer(ClosedRange<Int>)
    /// An integer, or a word instead.
    case integerOr(String, ClosedRange<Int>)
    /// A time span.
    case span(ClosedRange<Duration>)
    /// A time span, or `"off"`.
    case spanOrOff(ClosedRange<Duration>)
    /// One of the given words.
    case choice([String])
    /// Any string, or a string that another type checks.
    case text
    /// A string as for `text`, or an object.
    case textOr(KeyTable)
    case list(of: ValueForm, isEmptyAllowed: Bool)
    /// A list, or one element without brackets.
    case listOrOne(of: ValueForm, isEmptyAllowed: Bool = true)
    case object(KeyTable)
    /// An object whose keys are names of the user's choice and whose values are objects.
    case named(KeyTable, isEmptyAllowed: Bool)
    /// Any value, which is not read.
    case ignored

    /// Makes the form of the words of a type.
    static func choice<Word>(
        of type: Word.Type
    ) -> ValueForm where Word: CaseIterable & RawRepresentable<String> {
        .choice(Word.allCases.map(\.rawValue))
    }
}

// MARK: - Parsing

extension ValueForm {
    /// Parses `true` or `false`.
    func boolean(_ content: JSONValue.Content) throws(InvalidValue) -> Bool {
        guard case .boolean(let value) = content else {
            throw mismatch(content, wanted: "true or false")
        }
        return value
    }

    /// Parses an integer, or returns `nil` for the word instead.
    func integer(_ content: JSONValue.Content) throws(InvalidValue) -> Int? {
        let range: ClosedRange<Int>
        var wanted: String
        switch self {
        case .integer(let allowed):
            range = allowed
            wanted = "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .integerOr(let word, let allowed):
            if case .string(word) = content { return nil }
            range = allowed
            wanted = "\(word.quoted), or a whole number from \(range.lowerBound) to"
            wanted += " \(range.upperBound)"
        default: preconditionFailure("not an integer form")
        }
        guard case .number(let text) = content, let value = Int(text), range.contains(value) else {
            throw mismatch(content, wanted: wanted)
        }
        return value
    }

    /// Parses a time span, or returns `nil` for `"off"`.
    func span(_ content: JSONValue.Content) throws(InvalidValue) -> Duration? {
        let range: ClosedRange<Duration>
        var wanted = "a time span such as \"30s\" or \"1min 30s\""
        switch self {
        case .span(let allowed): range = allowed
        case .spanOrOff(let allowed):
            if case .string("off") = content { return nil }
            range = allowed
            wanted += ", or \"off\""
        default: preconditionFailure("not a time span form")
        }
        guard case .string(let text) = content else {
            if case .number(let digits) = content {
                throw InvalidValue("must be \(wanted); write \("\(digits.shortened)s".quoted)")
            }
            throw mismatch(content, wanted: wanted)
        }
        let value = try Duration(timeSpan: text)
        guard range.contains(value) else {
            throw InvalidValue(
                "must be from \(range.lowerBound.timeSpan) to \(range.upperBound.timeSpan), not"
                    + " \(text.quoted)" + remedy(for: value)
            )
        }
        return value
    }

    /// Parses one of the words.
    func word(
        _ content: JSONValue.Content,
        _ suggestions: Suggestions
    ) throws(InvalidValue) -> String {
        guard case .choice(let words) = self else { preconditionFailure("not a choice form") }
        let wanted = words.quotedList
        guard case .string(let text) = content else {
            throw mismatch(content, wanted: "one of \(wanted)")
        }
        guard words.contains(text) else {
            let question = suggestions.question(for: text, among: words)
            throw InvalidValue("must be one of \(wanted), not \(text.quoted)\(question)")
        }
        return text
    }

    /// Parses a string.
    func text(_ content: JSONValue.Content) throws(InvalidValue) -> String {
        guard case .string(let text) = content else {
            throw mismatch(content, wanted: "a string")
        }
        return text
    }

    /// Parses a list.
    func elements(_ content: JSONValue.Content) throws(InvalidValue) -> [JSONValue] {
        guard case .list(_, let isEmptyAllowed) = self else {
            preconditionFailure("not a list form")
        }
        guard case .array(let elements) = content else {
            throw mismatch(content, wanted: "a list in square brackets")
        }
        if elements.isEmpty, !isEmptyAllowed {
            throw InvalidValue("the list is empty; add at least one element")
        }
        return elements
    }

    /// Parses an object whose keys are names of the user's choice.
    func members(_ content: JSONValue.Content) throws(InvalidValue) -> [JSONObject.Member] {
        guard case .named(_, let isEmptyAllowed) = self else {
            preconditionFailure("not a named form")
        }
        guard case .object(let object) = content else {
            throw mismatch(content, wanted: "an object")
        }
        if object.members.isEmpty, !isEmptyAllowed {
            throw InvalidValue("the object is empty; add a member under a name of your choice")
        }
        return object.members
    }

    private func mismatch(_ content: JSONValue.Content, wanted: String) -> InvalidValue {
        if case .null = content {
            return InvalidValue("must be \(wanted), not null; remove the key to use its default")
        }
        return InvalidValue("must be \(wanted), not \(content)")
    }

    /// Returns the remedy for a zero time span, if the setting can be off.
    private func remedy(for value: Duration) -> String {
        if case .spanOrOff = self, value == .zero { "; write \"off\" to disable it" } else { "" }
    }
}
