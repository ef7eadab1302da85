internal import Console

/// A value of a JSON document, and where it stands.
package struct JSONValue: Sendable {
    /// What a value is.
    package enum Content: Sendable {
        case null
        case boolean(Bool)
        /// A number as the document writes it.
        case number(String)
        case string(String)
        case array([JSONValue])
        case object(JSONObject)
    }

    /// The place of the value's first character.
    package let position: SourcePosition

    /// What the value is.
    package let content: Content

    /// The member or element that a token of a ``JSONPointer`` stands for, or `nil`.
    package subscript(token: String) -> JSONValue? {
        switch content {
        case .object(let object):
            return object[token]?.value
        case .array(let elements):
            guard let index = Int(token), elements.indices.contains(index) else { return nil }
            return elements[index]
        case .null, .boolean, .number, .string:
            return nil
        }
    }
}

/// The members of a JSON object, in the order of the document.
package struct JSONObject: Sendable {
    /// A key, where it stands, and its value.
    package struct Member: Sendable {
        package let key: String
        package let position: SourcePosition
        package let value: JSONValue
    }

    /// The members, no key twice.
    package private(set) var members: [Member] = []
    private var indices: [String: Int] = [:]

    /// Makes an object without members.
    package init() {}

    /// Adds a member unless there is one of its key.
    ///
    /// - Returns: The member that has the key already, else `nil`.
    package mutating func add(_ member: Member) -> Member? {
        if let index = indices[member.key] { return members[index] }
        indices[member.key] = members.count
        members.append(member)
        return nil
    }

    /// The member of that key, or `nil`.
    package subscript(key: String) -> Member? {
        indices[key].map { members[$0] }
    }
}

extension JSONValue.Content: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral
{
    package init(stringLiteral value: String) {
        self = .string(value)
    }

    package init(integerLiteral value: Int) {
        self = .number(String(value))
    }

    package init(booleanLiteral value: Bool) {
        self = .boolean(value)
    }
}

extension JSONValue.Content: CustomStringConvertible {
    /// What messages call the value: `the number 5`, `the string "x"`, `an object`.
    package var description: String {
        switch self {
        case .null: "null"
        case .boolean(let value): "\(value)"
        case .number(let text): "the number \(text.shortened)"
        case .string(let text): "the string \(text.quoted)"
        case .array: "a list"
        case .object: "an object"
        }
    }
}
