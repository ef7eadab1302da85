internal import Testing

@testable internal import StrictJSON
@testable internal import VerypollConfiguration

@Suite("Time spans")
struct TimeSpanTests {
    @Test(
        "time spans are parsed as in systemd.time(7)",
        arguments: [
            ("30", .seconds(30)), ("0", .zero), ("0s", .zero), ("500ms", .milliseconds(500)),
            ("1min 30s", .seconds(90)), ("1min30s", .seconds(90)), (" 2 h ", .seconds(7200)),
            ("7us", .microseconds(7)), ("7usec", .microseconds(7)), ("7µs", .microseconds(7)),
            ("7μs", .microseconds(7)), ("3msec", .milliseconds(3)), ("1sec", .seconds(1)),
            ("1second", .seconds(1)), ("2seconds", .seconds(2)), ("2m", .seconds(120)),
            ("1minute", .seconds(60)), ("2minutes", .seconds(120)), ("1hr", .seconds(3600)),
            ("1hour", .seconds(3600)), ("2hours", .seconds(7200)), ("1d", .seconds(86400)),
            ("1day", .seconds(86400)), ("2days", .seconds(172_800)), ("1w", .seconds(604_800)),
            ("1week", .seconds(604_800)), ("2weeks", .seconds(1_209_600)),
            ("1M", .seconds(2_629_800)), ("1month", .seconds(2_629_800)),
            ("2months", .seconds(5_259_600)), ("1y", .seconds(31_557_600)),
            ("1year", .seconds(31_557_600)), ("2years", .seconds(63_115_200)),
            ("1.5h", .seconds(5400)), ("0.0000019s", .microseconds(1)),
            ("0.25", .milliseconds(250)),
            ("300ms20s 5day", .milliseconds(432_020_300)), ("100y", .seconds(3_155_760_000)),
        ] as [(String, Duration)]
    )
    func parses(text: String, span: Duration) throws {
        #expect(try Duration(timeSpan: text) == span)
    }

    @Test(
        "text that is not a time span is rejected with the reason",
        arguments: [
            ("", "\"\" is not a valid time span; write one such as \"30s\""),
            (
                "soon",
                "\"soon\" is not a valid time span: expected a number and a unit, found \"soon\""
            ),
            (
                "-5s",
                "\"-5s\" is not a valid time span: expected a number and a unit, found \"-5s\""
            ),
            (
                "1.2.3s",
                "\"1.2.3s\" is not a valid time span: expected a number and a unit, found"
                    + " \"1.2.3s\""
            ),
            (
                "5 30s",
                "\"5 30s\": the number 5 has no unit; the units are us, ms, s, min, h, d, w, month,"
                    + " y"
            ),
            (
                "5 fortnights",
                "\"5 fortnights\": unknown unit of time \"fortnights\"; the units are us, ms, s,"
                    + " min, h, d, w, month, y"
            ),
            ("101y", "\"101y\" is longer than 100 years; write a shorter one"),
            (
                "99999999999999999999y",
                "\"99999999999999999999y\" is longer than 100 years; write a shorter one"
            ),
        ]
    )
    func refuses(text: String, reason: String) {
        #expect(throws: InvalidValue(reason)) { try Duration(timeSpan: text) }
    }

    @Test(
        "time spans are printed with the largest units that fit",
        arguments: [
            (.zero, "0s"), (.seconds(90), "1min 30s"), (.seconds(3600), "1h"),
            (.milliseconds(1500), "1s 500ms"), (.microseconds(42), "42us"),
            (.seconds(2_629_800 + 604_800 + 86400), "1month 1w 1d"),
            (.seconds(31_557_600), "1y"), (.seconds(-90), "-1min 30s"),
            (.nanoseconds(999), "0s"),
        ] as [(Duration, String)]
    )
    func prints(span: Duration, text: String) {
        #expect(span.timeSpan == text)
    }

    @Test("a printed time span parses back to the same value")
    func roundTrips() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<1000 {
            let exponent = UInt64.random(in: 0...51, using: &generator)
            let span = Duration.microseconds(Int64.random(in: 0...(1 << exponent)))
            #expect(try Duration(timeSpan: span.timeSpan) == span)
        }
    }
}
