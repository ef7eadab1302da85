internal import Console
internal import StrictJSON

/// Reads an object of the configuration by its ``KeyTable``.
///
/// What is wrong goes to the list of problems, and reading goes on with the default, so that one
/// reading finds everything.
package struct ObjectReader {
    /// The way to the object.
    let pointer: JSONPointer

    /// Where what is wrong goes.
    let problems: ProblemList

    private let object: JSONObject
    private let table: KeyTable

    /// Makes a reader of an object, and reports keys that are unknown or missing.
    ///
    /// - Parameters:
    ///   - value: The object; if it is another value that is reported, and if it is `nil` nothing
    ///     is: either way all keys read as absent.
    ///   - table: The keys that it has.
    ///   - pointer: The way to it.
    ///   - problems: Where what is wrong goes.
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

    /// Whether the file has the key.
    func has(_ name: String) -> Bool {
        object[name] != nil
    }

    private func key(_ name: String) -> Key {
        guard let key = table[name] else { preconditionFailure("no key \(name) in the table") }
        return key
    }

    /// Parses the value of a key, or its default if it is absent or wrong.
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
    /// `true` or `false`.
    func boolean(_ name: String) -> Bool {
        parseOrDefault(name) { form, content throws(InvalidValue) in try form.boolean(content) }
    }

    /// A whole number.
    package func integer(_ name: String) -> Int {
        parseOrDefault(name) { form, content throws(InvalidValue) in try form.integer(content) }
    }

    /// A whole number, or `nil` if it is absent or a word.
    func optionalInteger(_ name: String) -> Int? {
        parse(name) { form, content throws(InvalidValue) in try form.integer(content) } ?? nil
    }

    /// A span of time.
    package func span(_ name: String) -> Duration {
        parseOrDefault(name) { form, content throws(InvalidValue) in try form.span(content) }
    }

    /// A span of time, or `nil` if it is off.
    func optionalSpan(_ name: String) -> Duration? {
        parse(name) { form, content throws(InvalidValue) in try form.span(content) } ?? nil
    }

    /// One of the words of a type.
    package func word<Word: RawRepresentable<String>>(_ name: String) -> Word {
        parseOrDefault(name) { form, content throws(InvalidValue) in
            Word(rawValue: try form.word(content, problems.suggestions))
        }
    }

    /// One of the words of a type, or `nil` if the key is absent.
    func optionalWord<Word: RawRepresentable<String>>(_ name: String) -> Word? {
        parse(name) { form, content throws(InvalidValue) in
            Word(rawValue: try form.word(content, problems.suggestions))
        } ?? nil
    }

    /// A string, checked by `check`, or `nil` if it is absent or wrong.
    package func text<Value>(
        _ name: String,
        as check: (String) throws(InvalidValue) -> Value
    ) -> Value? {
        parse(name) { form, content throws(InvalidValue) in try check(form.text(content)) }
    }

    /// A string that may be any.
    package func text(_ name: String) -> String {
        parseOrDefault(name) { form, content throws(InvalidValue) in try form.text(content) }
    }

    /// The elements of a list, or `nil` if it is absent or wrong.
    func elements(_ name: String) -> [JSONValue]? {
        parse(name) { form, content throws(InvalidValue) in try form.elements(content) }
    }

    /// The strings of a list, each checked by `check`, with their pointers; those that are wrong
    /// are left out.
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

    /// A value and the way to it.
    struct Located<Value> {
        let pointer: JSONPointer
        let value: Value
    }
}

// MARK: - Objects

extension ObjectReader {
    /// An object, whose keys are all absent if it is absent itself.
    func object(_ name: String) -> ObjectReader {
        guard case .object(let table) = key(name).form else { preconditionFailure("no object") }
        return ObjectReader(object[name]?.value, table, at: pointer / name, problems: problems)
    }

    /// An object, or `nil` if it is absent.
    func optionalObject(_ name: String) -> ObjectReader? {
        has(name) ? object(name) : nil
    }

    /// The objects under names that the user chose, in the order of the file.
    func objects(_ name: String) -> [NamedObject] {
        guard case .named(let table, _) = key(name).form else { preconditionFailure("no names") }
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

    /// An object under a name that the user chose.
    package struct NamedObject {
        let name: String
        let position: SourcePosition?
        let object: ObjectReader
    }

    /// Whether names of listeners and upstreams may look so; they go to logs and metrics.
    private static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                Character(Unicode.Scalar(byte)).isLetter && byte < 0x80
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || [UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-")].contains(byte)
            }
    }
}
