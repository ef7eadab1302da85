/// The weights that a client gives to the two formats; see RFC 9110, 12.5.1.
struct AcceptedFormats {
    // In thousandths, because a weight has at most three decimal places.
    private var openMetrics = 0
    private var classic = 0

    /// Whether the client asks for OpenMetrics and does not prefer the classic text.
    ///
    /// A client that does not name OpenMetrics may be too old to understand it.
    var prefersOpenMetrics: Bool { openMetrics > 0 && openMetrics >= classic }

    /// Reads the value of an `Accept` field; a request may have several such fields.
    mutating func read(_ value: Span<UInt8>) {
        value.forEachElement(separatedBy: UInt8(ascii: ",")) { range in
            var isOpenMetrics = false
            var isClassic = false
            var isVersionServed = true
            var weight = 1000
            var isFirst = true
            range.forEachElement(separatedBy: UInt8(ascii: ";")) { part in
                if isFirst {
                    isFirst = false
                    isOpenMetrics = part.isWord("application/openmetrics-text")
                    isClassic = part.isWord("text/plain")
                } else if part.count > 8, part.extracting(..<8).isWord("version=") {
                    let version = part.extracting(8...)
                    isVersionServed = version.isExactly("1.0.0") || version.isExactly("\"1.0.0\"")
                } else if part.count > 2, part.extracting(..<2).isWord("q=") {
                    weight = Self.weight(part.extracting(2...))
                }
            }
            if isOpenMetrics, isVersionServed { openMetrics = max(openMetrics, weight) }
            if isClassic { classic = max(classic, weight) }
        }
    }

    /// Returns a weight such as `0.75` in thousandths, or 0 if the text is not a valid weight.
    private static func weight(_ text: Span<UInt8>) -> Int {
        guard text.count <= 5, text.first == UInt8(ascii: "0") || text.first == UInt8(ascii: "1")
        else { return 0 }
        var weight = 0
        for place in [0, 2, 3, 4] {
            let digit = place < text.count ? text[place] : UInt8(ascii: "0")
            guard digit.isDigit else { return 0 }
            weight = weight * 10 + Int(digit - UInt8(ascii: "0"))
        }
        guard text.count < 2 || text[1] == UInt8(ascii: ".") else { return 0 }
        return min(weight, 1000)
    }
}
