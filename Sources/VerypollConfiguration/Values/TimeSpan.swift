internal import Console

// Time spans as in systemd.time(7): `500ms`, `1min 30s`, `2h`.

extension Duration {
    /// The longest time span of any setting: 100 years.
    package static let longest = Duration.seconds(100 * 31_557_600)

    /// Parses a time span: numbers with units, which are added up, or a number of seconds.
    ///
    /// A number may have a decimal fraction; fractions of a microsecond are cut off. As in systemd,
    /// a month has 30.4375 days and a year has 365.25 days.
    ///
    /// - Throws: `InvalidValue` unless the whole text is a time span of at most 100 years.
    package init(timeSpan text: String) throws(InvalidValue) {
        var rest = Substring(text).trimmingSpace()
        if rest.isEmpty {
            throw InvalidValue("\(text.quoted) is not a valid time span; write one such as \"30s\"")
        }
        var total: Int128 = 0
        var isFirst = true
        while !rest.isEmpty {
            let number = rest.takePrefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            guard let scaled = Self.millionths(number) else {
                throw InvalidValue(
                    "\(text.quoted) is not a valid time span: expected a number and a unit, found"
                        + " \(String(number + rest).quoted)"
                )
            }
            rest = rest.trimmingSpace()
            let unit = rest.takePrefix { $0.isLetter }
            rest = rest.trimmingSpace()
            let isAlone = isFirst && unit.isEmpty && rest.isEmpty
            guard let microseconds = isAlone ? 1_000_000 : TimeUnit.named(unit)?.microseconds else {
                throw Self.unknownUnit(unit, after: number, in: text)
            }
            total += scaled * microseconds / 1_000_000
            isFirst = false
            guard total <= Self.microseconds(of: .longest) else {
                throw InvalidValue("\(text.quoted) is longer than 100 years; write a shorter one")
            }
        }
        self = .microseconds(Int64(total))
    }

    /// The time span in the form that ``init(timeSpan:)`` parses, cut to microseconds: `1min 30s`.
    package var timeSpan: String {
        var rest = Self.microseconds(of: self)
        if rest < 0 { return "-" + (.zero - self).timeSpan }
        if rest == 0 { return "0s" }
        var parts: [String] = []
        for unit in TimeUnit.all where rest >= unit.microseconds {
            parts.append("\(rest / unit.microseconds)\(unit.names[0])")
            rest %= unit.microseconds
        }
        return parts.joined(separator: " ")
    }

    private static func microseconds(of duration: Duration) -> Int128 {
        let (seconds, attoseconds) = duration.components
        return Int128(seconds) * 1_000_000 + Int128(attoseconds / 1_000_000_000_000)
    }

    /// Parses a number with or without a fraction, and returns it multiplied by a million, or `nil`
    /// if the text is not a number.
    private static func millionths(_ text: Substring) -> Int128? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, let whole = parts.first, !whole.isEmpty else { return nil }
        // 18 digits exceed the longest time span in any unit, and more digits would overflow.
        guard let integer = Int128(whole.prefix(18)) else { return nil }
        guard parts.count == 2 else { return integer * 1_000_000 }
        guard !parts[1].isEmpty else { return nil }
        let digits = parts[1].prefix(6)
        let padded = digits + String(repeating: "0", count: 6 - digits.count)
        return Int128(padded).map { integer * 1_000_000 + $0 }
    }

    private static func unknownUnit(
        _ unit: Substring,
        after number: Substring,
        in text: String
    ) -> InvalidValue {
        let units = TimeUnit.all.reversed().map(\.names[0]).joined(separator: ", ")
        let subject =
            unit.isEmpty
            ? "the number \(number) has no unit"
            : "unknown unit of time \(String(unit).quoted)"
        return InvalidValue("\(text.quoted): \(subject); the units are \(units)")
    }
}

/// A unit of time.
private struct TimeUnit {
    /// The names; the first is the one that is printed.
    let names: [String]
    let microseconds: Int128

    static let all = [
        TimeUnit(names: ["y", "year", "years"], microseconds: 31_557_600_000_000),
        TimeUnit(names: ["month", "months", "M"], microseconds: 2_629_800_000_000),
        TimeUnit(names: ["w", "week", "weeks"], microseconds: 604_800_000_000),
        TimeUnit(names: ["d", "day", "days"], microseconds: 86_400_000_000),
        TimeUnit(names: ["h", "hr", "hour", "hours"], microseconds: 3_600_000_000),
        TimeUnit(names: ["min", "m", "minute", "minutes"], microseconds: 60_000_000),
        TimeUnit(names: ["s", "sec", "second", "seconds"], microseconds: 1_000_000),
        TimeUnit(names: ["ms", "msec"], microseconds: 1_000),
        // Both the Greek letter and the micro sign.
        TimeUnit(names: ["us", "usec", "\u{3BC}s", "\u{B5}s"], microseconds: 1),
    ]

    static func named(_ name: Substring) -> TimeUnit? {
        all.first { unit in unit.names.contains { $0 == name } }
    }
}

extension Substring {
    /// Removes and returns the longest prefix whose characters satisfy a condition.
    fileprivate mutating func takePrefix(_ fits: (Character) -> Bool) -> Substring {
        let taken = prefix(while: fits)
        self = self[taken.endIndex...]
        return taken
    }

    fileprivate func trimmingSpace() -> Substring {
        drop(while: \.isWhitespace)
    }
}
