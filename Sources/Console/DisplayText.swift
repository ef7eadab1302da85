/// Text that is safe to show to people: text from outside cannot control the terminal.
///
/// Only literals in the source are used unchanged. Every interpolated value is escaped, so no
/// caller has to remember to do so.
package struct DisplayText: Hashable, Sendable, CustomStringConvertible {
    /// The text as it is written to the terminal.
    package private(set) var description: String

    /// Creates text from untrusted text.
    package init(_ text: String) {
        description = text.escapedForPeople
    }

    private init(trusting text: String) {
        description = text
    }

    /// Splits text of this program that may contain words from outside, such as a parser's message,
    /// into lines.
    package static func lines(of text: String) -> [DisplayText] {
        text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { DisplayText(String(Substring($0))) }
    }

    /// Creates the text with a control sequence before it and a reset after it.
    ///
    /// - Parameters:
    ///   - text: The text to show.
    ///   - style: The parameter of SGR in console_codes(4).
    package init(_ text: DisplayText, graphicRendition style: StaticString) {
        self.init(trusting: "\u{1B}[\(style)m\(text.description)\u{1B}[0m")
    }

    /// Whether there is no text.
    package var isEmpty: Bool { description.isEmpty }

    /// The number of characters, including control sequences.
    package var count: Int { description.count }

    package static func + (left: DisplayText, right: DisplayText) -> DisplayText {
        DisplayText(trusting: left.description + right.description)
    }

    package static func += (left: inout DisplayText, right: DisplayText) {
        left.description += right.description
    }
}

extension DisplayText: ExpressibleByStringInterpolation {
    /// Joins literals and escaped values.
    package struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        package init(literalCapacity: Int, interpolationCount: Int) {
            text.reserveCapacity(literalCapacity)
        }

        package mutating func appendLiteral(_ literal: String) {
            text += literal
        }

        /// Adds text that is already safe.
        package mutating func appendInterpolation(_ value: DisplayText) {
            text += value.description
        }

        /// Adds an untrusted value, escaped.
        package mutating func appendInterpolation<Value>(_ value: Value) {
            text += String(describing: value).escapedForPeople
        }
    }

    package init(stringLiteral literal: String) {
        self.init(trusting: literal)
    }

    package init(stringInterpolation interpolation: StringInterpolation) {
        self.init(trusting: interpolation.text)
    }
}

extension Sequence<DisplayText> {
    /// Returns the texts joined by a separator.
    package func joined(separator: DisplayText) -> DisplayText {
        var result: DisplayText = ""
        for (index, text) in enumerated() { result += index == 0 ? text : separator + text }
        return result
    }
}
