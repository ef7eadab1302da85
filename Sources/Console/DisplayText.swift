/// Text that may be shown to people: nothing that came from outside can steer the terminal.
///
/// Only literals of the source are taken as they are. Every value that is interpolated is escaped,
/// so that no caller has to remember to do so.
package struct DisplayText: Hashable, Sendable, CustomStringConvertible {
    /// The text as it is written to the terminal.
    package private(set) var description: String

    /// Makes text of a value from anywhere.
    package init(_ text: String) {
        description = text.escapedForPeople
    }

    private init(trusting text: String) {
        description = text
    }

    /// The lines of a text of ours that may hold words from outside, such as a parser's message.
    package static func lines(of text: String) -> [DisplayText] {
        text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { DisplayText(String(Substring($0))) }
    }

    /// The text with a control sequence before it, and one behind it.
    ///
    /// - Parameters:
    ///   - text: What is shown.
    ///   - style: The parameter of SGR in console_codes(4).
    package init(_ text: DisplayText, graphicRendition style: StaticString) {
        self.init(trusting: "\u{1B}[\(style)m\(text.description)\u{1B}[0m")
    }

    /// Whether there is no text.
    package var isEmpty: Bool { description.isEmpty }

    /// How many characters it has.
    package var count: Int { description.count }

    package static func + (left: DisplayText, right: DisplayText) -> DisplayText {
        DisplayText(trusting: left.description + right.description)
    }

    package static func += (left: inout DisplayText, right: DisplayText) {
        left.description += right.description
    }
}

extension DisplayText: ExpressibleByStringInterpolation {
    /// Puts literals together with escaped values.
    package struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        package init(literalCapacity: Int, interpolationCount: Int) {
            text.reserveCapacity(literalCapacity)
        }

        package mutating func appendLiteral(_ literal: String) {
            text += literal
        }

        /// Adds text that is safe already.
        package mutating func appendInterpolation(_ value: DisplayText) {
            text += value.description
        }

        /// Adds a value from anywhere.
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
    /// The texts with another between them.
    package func joined(separator: DisplayText) -> DisplayText {
        var result: DisplayText = ""
        for (index, text) in enumerated() { result += index == 0 ? text : separator + text }
        return result
    }
}
