internal import Console

/// A JSON value, either parsed from a document or created by code.
///
/// A parsed value stores its position, because nearly every message about a configuration needs it,
/// and a separate table would cost more than it saves. A value created by code has no position.
/// Comparisons ignore positions.
package struct JSONValue: Sendable {
    /// The content of a value.
    package enum Content: Hashable, Sendable {
        case null
        case boolean(Bool)
        /// A number, in the spelling of the document.
        case number(String)
        case string(String)
        case array([JSONValue])
        case object(JSONObject)
    }

    /// The content of the value.
    package let content: Content

    /// The position of the value's first character; `nil` if the value was created by code.
    package let position: SourcePosition?

    /// Creates a value.
    package init(_ content: Content, at position: SourcePosition? = nil) {
        self.content = content
        self.position = position
    }
}

extension JSONValue: Hashable {
    /// Numbers are equal if their spelling is equal.
    ///
    /// The order of an object's keys does not matter.
    package static func == (left: JSONValue, right: JSONValue) -> Bool {
        left.content == right.content
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(content)
    }
}

// MARK: - Contents by type

extension JSONValue {
    /// The value as a boolean, or `nil` if it is not one.
    package var boolean: Bool? {
        if case .boolean(let value) = content { value } else { nil }
    }

    /// The value as an integer, or `nil` if it is not an integer that fits in `Int`.
    package var integer: Int? {
        if case .number(let text) = content { Int(text) } else { nil }
    }

    /// The value as a string, or `nil` if it is not one.
    package var string: String? {
        if case .string(let text) = content { text } else { nil }
    }

    /// The elements of the value, or `nil` if it is not an array.
    package var array: [JSONValue]? {
        if case .array(let elements) = content { elements } else { nil }
    }

    /// The value as an object, or `nil` if it is not one.
    package var object: JSONObject? {
        if case .object(let object) = content { object } else { nil }
    }

    /// The member or element for a token of a ``JSONPointer``, or `nil`.
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
    /// The description of the value in messages: `the number 5`, `the string "x"`, `an object`.
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

// MARK: - Values created by code

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

    /// An object with sorted keys.
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
