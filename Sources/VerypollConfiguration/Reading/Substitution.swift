internal import Console
internal import StrictJSON

/// Replaces `${NAME}` in the strings of documents by the values of variables.
///
/// A value is inserted as text: it is neither parsed as JSON nor searched for further names.
struct Substitution {
    /// The maximum size of all inserted values, in bytes.
    private static let byteLimit = Configuration.maximumByteCount

    private let surroundings: Surroundings?
    private let problems: ProblemList
    private var values: [String: Variables.Value] = [:]
    private var byteCount = 0

    /// Makes a substitution that reports its problems.
    ///
    /// - Parameters:
    ///   - surroundings: The variables, or `nil` if each name is a problem.
    ///   - problems: The list to which problems are reported.
    init(_ surroundings: Surroundings?, problems: ProblemList) {
        self.surroundings = surroundings
        self.problems = problems
    }

    /// Returns a value with all names replaced.
    mutating func apply(to value: JSONValue) -> JSONValue {
        var pointer = JSONPointer.root
        return replacement(of: value, at: &pointer) ?? value
    }

    /// Returns the value with all names replaced, or `nil` if it has none.
    private mutating func replacement(
        of value: JSONValue,
        at pointer: inout JSONPointer
    ) -> JSONValue? {
        switch value.content {
        case .null, .boolean, .number: return nil
        case .string(let text):
            guard text.utf8.contains(UInt8(ascii: "$")) else { return nil }
            return string(text, at: pointer, value.position)
        case .array(let elements):
            let keys = elements.indices.lazy.map { String($0) }
            return replacements(of: elements, keys, at: &pointer)
                .map { JSONValue(.array($0), at: value.position) }
        case .object(let object):
            let members = object.members
            return replacements(of: members.map(\.value), members.lazy.map(\.key), at: &pointer)
                .map { JSONValue(.object(JSONObject(object, values: $0)), at: value.position) }
        }
    }

    private mutating func replacements(
        of values: [JSONValue],
        _ keys: some Sequence<String>,
        at pointer: inout JSONPointer
    ) -> [JSONValue]? {
        var replacements = values
        var hasChanged = false
        for (index, key) in keys.enumerated() {
            pointer.append(key)
            if let value = replacement(of: values[index], at: &pointer) {
                replacements[index] = value
                hasChanged = true
            }
            pointer.removeLast()
        }
        return hasChanged ? replacements : nil
    }

    private mutating func string(
        _ text: String,
        at pointer: JSONPointer,
        _ position: SourcePosition?
    ) -> JSONValue? {
        do throws(InvalidValue) {
            let parts = try VariableText.parts(of: text)
            var result = ""
            var isSecret = false
            for part in parts {
                switch part {
                case .literal(let literal): result += literal
                case .variable(let name):
                    let value = try value(of: name)
                    isSecret = isSecret || value.isSecret
                    byteCount += value.text.utf8.count
                    guard byteCount <= Self.byteLimit else {
                        throw InvalidValue(
                            "all values together are larger than 1 MiB; shorten them"
                        )
                    }
                    result += value.text
                }
            }
            if isSecret { problems.concealment.conceal(result, as: text, at: pointer) }
            return result == text ? nil : JSONValue(.string(result), at: position)
        } catch {
            problems.report(pointer, at: position, error.reason)
            return nil
        }
    }

    private mutating func value(of name: String) throws(InvalidValue) -> Variables.Value {
        if let value = values[name] { return value }
        guard let surroundings else {
            throw InvalidValue(
                "\("${\(name)}".quoted) has no value in a text that a client sends; check the file"
                    + " with verypollctl config check FILE"
            )
        }
        guard let value = try surroundings.variables.value(of: name, files: surroundings.files)
        else {
            throw InvalidValue(
                "no credential and no variable of the environment is named \(name.quoted);"
                    + " \(surroundings.remedy), or write \"$${\" for the characters \"${\""
            )
        }
        values[name] = value
        if value.isSecret { problems.concealment.conceal(value.text, of: name) }
        return value
    }
}
