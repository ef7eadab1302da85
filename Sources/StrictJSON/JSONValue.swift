internal import Console

/// A value of JSON: one that a document has, with its place, or one that code has made.
///
/// There is one tree for both. A node carries its place itself, as nearly every message about a
/// configuration needs it, and a table beside the tree would cost more than it saves. A value that
/// code has made has none. Places do not count when values are compared.
package struct JSONValue: Sendable {
    /// The content of a value.
    package enum Content: Hashable, Sendable {
        case null
        case boolean(Bool)
        /// A number as the document writes it.
        case number(String)
        case string(String)
        case array([JSONValue])
        case object(JSONObject)
    }

    /// The content of the value.
    package let content: Content

    /// The place of the value's first character; `nil` outside a document.
    package let position: SourcePosition?

    /// Makes a value.
    package init(_ content: Content, at position: SourcePosition? = nil) {
        self.content = content
        self.position = position
    }
}

extension JSONValue: Hashable {
    /// Numbers are equal if they are written alike, and objects whatever the order of their keys.
    package static func == (left: JSONValue, right: JSONValue) -> Bool {
        left.content == right.content
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(content)
    }
}

// MARK: - What it is

extension JSONValue {
    /// The boolean that it is, or `nil`.
    package var boolean: Bool? {
        if case .boolean(let value) = content { value } else { nil }
    }

    /// The whole number that it is and that `Int` can hold, or `nil`.
    package var integer: Int? {
        if case .number(let text) = content { Int(text) } else { nil }
    }

    /// The string that it is, or `nil`.
    package var string: String? {
        if case .string(let text) = content { text } else { nil }
    }

    /// The elements of the array that it is, or `nil`.
    package var array: [JSONValue]? {
        if case .array(let elements) = content { elements } else { nil }
    }

    /// The object that it is, or `nil`.
    package var object: JSONObject? {
        if case .object(let object) = content { object } else { nil }
    }

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

extension JSONValue.Content: CustomStringConvertible {
    /// The name of the value in messages: `the number 5`, `the string "x"`, `an object`.
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

// MARK: - Made by code

extension JSONValue {
    /// The value `null`.
    package static let null = JSONValue(.null)

    /// The value `true` or `false`.
    package static func boolean(_ value: Bool) -> JSONValue { JSONValue(.boolean(value)) }

    /// A whole number.
    package static func number(_ value: Int) -> JSONValue { JSONValue(.number(String(value))) }

    /// A string.
    package static func string(_ text: String) -> JSONValue { JSONValue(.string(text)) }

    /// An array.
    package static func array(_ elements: [JSONValue]) -> JSONValue { JSONValue(.array(elements)) }

    /// An object, whose keys are sorted.
    package static func object(_ members: [String: JSONValue]) -> JSONValue {
        JSONValue(.object(JSONObject(members)))
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral
{
    package init(stringLiteral value: String) {
        self = .string(value)
    }

    package init(integerLiteral value: Int) {
        self = .number(value)
    }

    package init(booleanLiteral value: Bool) {
        self = .boolean(value)
    }
}
