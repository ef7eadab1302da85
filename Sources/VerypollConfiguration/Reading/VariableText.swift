internal import Console
internal import StrictJSON

/// A text with the names of variables.
enum VariableText {
    /// A part of the text.
    enum Part: Equatable {
        case literal(String)
        case variable(String)
    }

    /// The maximum size of a name, in bytes.
    private static let nameLimit = 128

    /// Returns the parts of a text.
    ///
    /// Before `{`, each `$$` is a literal `$`. Elsewhere, `$` has no meaning.
    ///
    /// - Throws: If a name is not valid or does not end.
    static func parts(of text: String) throws(InvalidValue) -> [Part] {
        var parts: [Part] = []
        var literal: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let start = rest.firstIndex(of: UInt8(ascii: "$")) {
            literal += rest[..<start]
            rest = rest[start...]
            let count = rest.prefix { $0 == UInt8(ascii: "$") }.count
            rest = rest.dropFirst(count)
            guard rest.first == UInt8(ascii: "{") else {
                literal += repeatElement(UInt8(ascii: "$"), count: count)
                continue
            }
            literal += repeatElement(UInt8(ascii: "$"), count: count / 2)
            guard count % 2 == 1 else { continue }
            parts.append(.literal(String(decoding: literal, as: UTF8.self)))
            literal = []
            parts.append(.variable(try takeName(&rest, of: text)))
        }
        parts.append(.literal(String(decoding: literal + rest, as: UTF8.self)))
        return parts.filter { $0 != .literal("") }
    }

    /// Takes a name in braces.
    private static func takeName(
        _ rest: inout ArraySlice<UInt8>,
        of text: String
    ) throws(InvalidValue) -> String {
        guard let end = rest.firstIndex(of: UInt8(ascii: "}")) else {
            throw InvalidValue(
                "\(text.quoted) has no \"}\" after \"${\"; write \"${NAME}\" for a variable, or"
                    + " \"$${\" for the characters \"${\""
            )
        }
        let name = String(decoding: rest[..<end].dropFirst(), as: UTF8.self)
        rest = rest[end...].dropFirst()
        guard isName(name) else {
            throw InvalidValue(
                "\(name.quoted) is not a valid name of a variable; write letters, digits, \"_\","
                    + " \".\" and \"-\" after a letter or \"_\", as in \"${NAME}\", or \"$${\" for"
                    + " the characters \"${\""
            )
        }
        return name
    }

    private static func isName(_ name: String) -> Bool {
        (1...nameLimit).contains(name.utf8.count)
            && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_.-".contains($0)) }
            && name.first.map { $0.isLetter || $0 == "_" } == true
    }
}

extension VariableText {
    /// Returns the text whose meaning is a text: each `${` is written `$${`.
    static func escaped(_ text: String) -> String {
        guard text.contains("${") else { return text }
        var result: [UInt8] = []
        var dollarCount = 0
        for byte in text.utf8 {
            if byte == UInt8(ascii: "{") {
                result += repeatElement(UInt8(ascii: "$"), count: dollarCount)
            }
            dollarCount = byte == UInt8(ascii: "$") ? dollarCount + 1 : 0
            result.append(byte)
        }
        return String(decoding: result, as: UTF8.self)
    }
}

extension JSONValue {
    /// Returns the value with all strings in the form that ``Substitution`` does not change.
    func escapingVariables() -> JSONValue {
        switch content {
        case .null, .boolean, .number: return self
        case .string(let text):
            return text.utf8.contains(UInt8(ascii: "$"))
                ? JSONValue(.string(VariableText.escaped(text)), at: position) : self
        case .array(let elements):
            return JSONValue(.array(elements.map { $0.escapingVariables() }), at: position)
        case .object(let object):
            let values = object.members.map { $0.value.escapingVariables() }
            return JSONValue(.object(JSONObject(object, values: values)), at: position)
        }
    }

    /// Whether any string names a variable.
    var namesVariable: Bool {
        switch content {
        case .null, .boolean, .number: false
        case .string(let text): text.utf8.contains(UInt8(ascii: "$")) && text.contains("${")
        case .array(let elements): elements.contains { $0.namesVariable }
        case .object(let object): object.members.contains { $0.value.namesVariable }
        }
    }
}
