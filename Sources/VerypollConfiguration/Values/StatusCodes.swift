internal import Console

/// Status codes of HTTP: single ones and ranges, such as `200-299,304`.
package struct StatusCodes: Equatable, Sendable {
    /// The codes from 200 to 399.
    package static let success = StatusCodes(ranges: [200...399])

    private static let possible = 100...599

    private let ranges: [ClosedRange<Int>]

    private init(ranges: [ClosedRange<Int>]) {
        self.ranges = ranges
    }

    /// Parses codes and ranges that are separated by commas.
    package init(_ text: String) throws(InvalidValue) {
        var ranges: [ClosedRange<Int>] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false)
            let codes = ends.compactMap(Self.code)
            guard let first = codes.first, let last = codes.last, codes.count == ends.count,
                codes.count <= 2, first <= last
            else {
                throw InvalidValue(
                    "\(text.quoted) is not a valid list of status codes; write codes from 100 to"
                        + " 599 and ranges of them, such as \"200-299,304\""
                )
            }
            ranges.append(first...last)
        }
        self.init(ranges: ranges)
    }

    /// Returns the code that a text stands for; spaces around it are ignored.
    private static func code(_ text: Substring) -> Int? {
        let digits = String(text.trimming { $0 == " " })
        guard digits.utf8.count == 3, let code = Int(digits), possible.contains(code) else {
            return nil
        }
        return code
    }

    /// Returns whether a code is among the codes.
    package func contains(_ code: Int) -> Bool {
        ranges.contains { $0.contains(code) }
    }
}

extension StatusCodes: CustomStringConvertible {
    /// The codes in the form that ``init(_:)`` parses.
    package var description: String {
        ranges.map { range in
            let (first, last) = (range.lowerBound, range.upperBound)
            return first == last ? "\(first)" : "\(first)-\(last)"
        }
        .joined(separator: ",")
    }
}

extension Substring {
    /// Returns the text without the characters at both ends that satisfy a condition.
    fileprivate func trimming(_ isOutside: (Character) -> Bool) -> Substring {
        var text = drop(while: isOutside)
        while let last = text.last, isOutside(last) { text.removeLast() }
        return text
    }
}
