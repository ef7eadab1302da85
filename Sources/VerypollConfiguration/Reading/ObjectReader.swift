internal import Console
internal import StrictJSON

/// Reads an object of the configuration by its ``KeyTable``.
///
/// An invalid value is reported to the list of problems, and its default is used instead, so that
/// one pass finds all problems.
package struct ObjectReader {
    /// The JSON pointer of the object.
    let pointer: JSONPointer

    /// The list to which problems are reported.
    let problems: ProblemList

    private let object: JSONObject
    private let table: KeyTable

    /// Makes a reader of an object, and reports keys that are unknown or missing.
    ///
    /// - Parameters:
    ///   - value: The object. Any other value is reported as a problem, except `nil`. In both
    ///     cases, all keys are absent.
    ///   - table: The keys of the object.
    ///   - pointer: The JSON pointer of the object.
    ///   - problems: The list to which problems are reported.
    init(_ value: JSONValue?, _ table: KeyTable, at pointer: JSONPointer, problems: ProblemList) {
        self.pointer = pointer
        self.problems = problems
        self.table = table
        guard let value else {
            object = JSONObject()
            return
        }
        guard case .object(let object) = value.content else {
            self.object = JSONObject()
            problems.report(pointer, "must be an object, not \(value.content)")
            return
        }
        self.object = object
        reportUnknownKeys()
        for key in table.keys where key.isRequired && object[key.name] == nil {
            problems.report(pointer, "the key \(key.name.quoted) is missing; add it")
        }
    }

    /// Returns whether the object has a key.
    func has(_ name: String) -> Bool {
        object[name] != nil
    }

    private func key(_ name: String) -> Key {
        guard let key = table[name] else { preconditionFailure("no key \(name) in the table") }
        return key
    }

    /// Parses the value of a key, or its default if the value is absent or invalid.
    private func parse<Value>(
        _ name: String,
        _ body: (ValueForm, JSONValue.Content) throws(InvalidValue) -> Value
    ) -> Value? {
        let key = key(name)
        if let member = object[name] {
            do {
                return try body(key.form, member.value.content)
            } catch {
                problems.report(pointer / name, error.reason)
            }
        }
        return key.fallback.flatMap { try? body(key.form, $0.content) }
    }

    /// Parses the value of a key that has a default.
    private func parseOrDefault<Value>(
        _ name: String,
        _ body: (ValueForm, JSONValue.Content) throws(InvalidValue) -> Value?
    ) -> Value {
        guard let value = parse(name, body) ?? nil else {
            preconditionFailure("the key \(name) has no default")
        }
        return value
    }

    private func reportUnknownKeys() {
        let names = table.keys.map(\.name)
        for member in object.members where !names.contains(member.key) {
            problems.report(
                pointer / member.key,
                at: member.position,
                "unknown key \(remedy(for: member.key, among: names))"
            )
        }
    }

    private func remedy(for key: String, among names: [String]) -> String {
        let nearest = problems.suggestions.nearest(to: key, among: names)
        return nearest.map { "(did you mean \($0.quoted)?)" } ?? "(known keys: \(names.quotedList))"
    }
}

// MARK: - Values

extension ObjectReader {
    /// Reads `true` or `false`.
    func boolean(_ name: String) -> Bool {
        parseOrDefault(name) { form, content throws(InvalidValue) in try form.boolean(content) }
    }

    /// Reads `true` or `false`, or returns `nil` if the key is absent.
    func optionalBoolean(_ name: String) -> Bool? {
        parse(name) { form, content throws(InvalidValue) in try form.boolean(content) }
    }

    /// Reads an integer.
    package func integer(_ name: String) -> Int {
        parseOrDefault(name) { form, content throws(InvalidValue) in try form.integer(content) }
    }

    /// Reads an integer, or returns `nil` if the key is absent or its value is a word.
    func optionalInteger(_ name: String) -> Int? {
        parse(name) { form, content throws(InvalidValue) in try form.integer(content) } ?? nil
    }

    /// Reads a time span.
    package func span(_ name: String) -> Duration {
        parseOrDefault(name) { form, content throws(InvalidValue) in try form.span(content) }
    }

    /// Reads a time span, or returns `nil` if it is off.
    func optionalSpan(_ name: String) -> Duration? {
        parse(name) { form, content throws(InvalidValue) in try form.span(content) } ?? nil
    }

    /// Reads one of the words of a type.
    package func word<Word: RawRepresentable<String>>(_ name: String) -> Word {
        parseOrDefault(name) { form, content throws(InvalidValue) in
            Word(rawValue: try form.word(content, problems.suggestions))
        }
    }

    /// Reads one of the words of a type, or returns `nil` if the key is absent.
    func optionalWord<Word: RawRepresentable<String>>(_ name: String) -> Word? {
        parse(name) { form, content throws(InvalidValue) in
            Word(rawValue: try form.word(content, problems.suggestions))
        } ?? nil
    }

    /// Reads a string with `check`, or returns `nil` if it is absent or invalid.
    package func text<Value>(
        _ name: String,
        as check: (String) throws(InvalidValue) -> Value
    ) -> Value? {
        parse(name) { form, content throws(InvalidValue) in try check(form.text(content)) }
    }

    /// Reads any string.
    package func text(_ name: String) -> String {
        parseOrDefault(name) { form, content throws(InvalidValue) in try form.text(content) }
    }

    /// Reads the elements of a list, or returns `nil` if the list is absent or invalid.
    func elements(_ name: String) -> [JSONValue]? {
        parse(name) { form, content throws(InvalidValue) in try form.elements(content) }
    }

    /// Reads the strings of a list with `check`, and returns them with their pointers, without the
    /// invalid ones.
    func texts<Value>(
        _ name: String,
        as check: (String) throws(InvalidValue) -> Value
    ) -> [Located<Value>]? {
        guard let elements = elements(name) else { return nil }
        var texts: [Located<Value>] = []
        for (index, element) in elements.enumerated() {
            let pointer = pointer / name / index
            do throws(InvalidValue) {
                let value = try check(ValueForm.text.text(element.content))
                texts.append(Located(pointer: pointer, value: value))
            } catch {
                problems.report(pointer, error.reason)
            }
        }
        return texts
    }

    /// Reads the elements of a list, or one element without brackets, and returns them with their
    /// pointers.
    ///
    /// Returns `nil` if the key is absent, or if its value is an empty list and must not be one.
    func listOrOne(_ name: String) -> [Located<JSONValue>]? {
        guard case .listOrOne(_, let isEmptyAllowed) = key(name).form else {
            preconditionFailure("not a list form")
        }
        guard let value = object[name]?.value else { return nil }
        let pointer = pointer / name
        guard let elements = value.array else { return [Located(pointer: pointer, value: value)] }
        if elements.isEmpty, !isEmptyAllowed {
            problems.report(pointer, "the list is empty; add at least one element")
            return nil
        }
        return elements.enumerated().map {
            Located(pointer: pointer / $0.offset, value: $0.element)
        }
    }

    /// A value and its JSON pointer.
    struct Located<Value> {
        let pointer: JSONPointer
        let value: Value
    }
}

// MARK: - Objects

extension ObjectReader {
    /// Returns a reader of an object.
    ///
    /// If the object is absent, all its keys are absent.
    func object(_ name: String) -> ObjectReader {
        guard case .object(let table) = key(name).form else {
            preconditionFailure("not an object form")
        }
        return ObjectReader(object[name]?.value, table, at: pointer / name, problems: problems)
    }

    /// Returns a reader of an object, or `nil` if the object is absent.
    func optionalObject(_ name: String) -> ObjectReader? {
        has(name) ? object(name) : nil
    }

    /// Returns readers of the objects under names that the user chose, in the order of the file.
    func objects(_ name: String) -> [NamedObject] {
        guard case .named(let table, _) = key(name).form else {
            preconditionFailure("not a named form")
        }
        let members = parse(name) { form, content throws(InvalidValue) in
            try form.members(content)
        }
        return (members ?? []).map { member in
            let pointer = pointer / name / member.key
            if !Self.isName(member.key) {
                problems.report(
                    pointer,
                    at: member.position,
                    "not a valid name; use 1 to 64 ASCII letters, digits, \".\", \"_\" and \"-\""
                )
            }
            let reader = ObjectReader(member.value, table, at: pointer, problems: problems)
            return NamedObject(name: member.key, position: member.position, object: reader)
        }
    }

    /// An object under a name that the user has chosen.
    package struct NamedObject {
        let name: String
        let position: SourcePosition?
        let object: ObjectReader
    }

    /// Returns whether a text is valid as the name of a listener or upstream.
    ///
    /// The characters are limited because logs and metrics contain these names.
    private static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                Character(Unicode.Scalar(byte)).isLetter && byte < 0x80
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || [UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-")].contains(byte)
            }
    }
}
