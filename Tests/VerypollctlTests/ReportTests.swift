import Console
import Testing
import VerypollControl

@testable import verypollctl

@Suite("Reports")
struct ReportTests {
    private let plain = Terminal(isInteractive: false, hasColor: false)
    private let colored = Terminal(isInteractive: true, hasColor: true)

    @Test("the status has the same layout as systemctl's")
    func reports() {
        let now = Sample.start + 184_000_000
        let report = StatusReport(status: Sample.status, now: now, terminal: plain)
        let since = formatTimestamp(microseconds: Sample.start)

        #expect(
            report.lines(hasLegend: true).prefix(11).joined(separator: "\n").description == """
                ● verypolld - version 1.2.3
                     Config: /etc/verypolld/verypolld.json
                     Active: running since \(since); 3min 4s ago
                       Note: session limit reached, listener web paused
                   Main PID: 4242
                   Sessions: 14 of 100000 (5197 accepted, 3 rejected)
                    Traffic: 4.8G in, 1000B out
                    Workers: 0   1 session    12% busy  100200 polls  200300 events
                             1  13 sessions  100% busy      99 polls       3 events

                LISTENER  ADDRESS              HANDLER  STATE      SESSIONS  ACCEPTED  REJECTED\
                      IN    OUT
                """
        )
    }

    @Test("a status without a file, a note and listeners has no blank fields")
    func reportsLittle() {
        var status = Sample.status
        status.configurationPath = nil
        status.note = nil
        status.listeners = []
        status.upstreams = []
        status.workers = []
        let lines = StatusReport(status: status, now: Sample.start, terminal: plain)
            .lines(hasLegend: true)

        #expect(lines.count == 6)
        #expect(lines[1] == "     Config: built-in default")
    }

    @Test("colors show the state on a terminal that supports them")
    func colors() {
        var status = Sample.status
        let dots = Status.State.allCases.map { state in
            status.state = state
            return StatusReport(status: status, now: Sample.start, terminal: colored)
                .lines(hasLegend: false)[0].description.prefix { $0 != " " }
        }

        #expect(
            dots == [
                "\u{1B}[1;33m●\u{1B}[0m", "\u{1B}[1;32m●\u{1B}[0m", "\u{1B}[1;33m●\u{1B}[0m", "○",
            ]
        )
    }

    @Test("text from a daemon cannot control the terminal")
    func defuses() {
        var status = Sample.status
        status.note = "a\u{1B}[2Jb\u{7}"
        status.configurationPath = "/a\nb"
        status.listeners[0].name = "\u{9B}31m\u{202E}red"
        let report = StatusReport(status: status, now: Sample.start, terminal: plain)
        let text = report.lines(hasLegend: true).map(\.description).joined(separator: "\n")

        #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || !$0.steersTerminal })
        #expect(text.contains(#"a\u001B[2Jb\u0007"#))
        #expect(text.contains(#"/a\u000Ab"#))
        #expect(text.contains(#"\u009B31m\u202Ered"#))
    }

    @Test(
        "byte counts are printed in a fitting unit",
        arguments: [
            (0, "0B"), (1023, "1023B"), (1024, "1.0K"), (1536, "1.5K"), (1_048_524, "1023.9K"),
            (1_048_570, "1.0M"), (1 << 20, "1.0M"), (1 << 30, "1.0G"), (1 << 40, "1.0T"),
            (.max, "8.0E"),
        ]
    )
    func formatsBytes(count: Int, text: String) {
        #expect(formatByteCount(count) == text)
    }

    @Test(
        "time spans are printed in their two largest units",
        arguments: [
            (-5, "0ms"), (0, "0ms"), (999_999, "999ms"), (1_000_000, "1s"), (59_999_999, "59s"),
            (60_000_000, "1min 0s"), (184_000_000, "3min 4s"), (3_600_000_000, "1h 0min"),
            (3_661_000_000, "1h 1min"), (86_400_000_000, "1d 0h"), (90_061_000_000, "1d 1h"),
        ]
    )
    func formatsSpans(microseconds: Int, text: String) {
        #expect(formatSpan(microseconds: microseconds) == text)
    }

    @Test("rows align in columns, and styles do not count as width")
    func aligns() {
        var table = Table(("A", .left), ("B", .right), ("C", .left))
        table.append("long", "1", Table.Cell("x", .bold))
        table.append("ü", "100", "y")
        table.append("", "7", "")
        table.remark("why")

        #expect(
            table.lines(header: true, on: plain) == [
                "A       B  C", "long    1  x", "ü     100  y", "        7", "  └ why",
            ]
        )
        #expect(
            table.lines(header: false, on: colored)
                == ["long    1  \u{1B}[1mx\u{1B}[0m", "ü     100  y", "        7", "  └ why"]
        )
    }

    @Test("a narrow terminal gets fewer columns, and the omission is reported")
    func dropsColumns() {
        var narrow = plain
        narrow.columns = 80
        let table = listenerTable(Sample.status.listeners, now: 0)
        #expect(
            table.lines(header: true, on: narrow) == [
                "LISTENER  ADDRESS              STATE      SESSIONS  ACCEPTED      IN    OUT",
                "echo      127.0.0.1:7007       accepting        12      5120  117.7M  1000B",
                "          [::1]:7007",
                "web       [::]:8080 (systemd)  paused       2 of 2        77    4.7G     0B",
                "  └ session limit reached",
            ]
        )
        #expect(table.omission(on: narrow) == ["Left out for lack of width: HANDLER, REJECTED."])
        #expect(table.omission(on: plain) == [])
    }

    @Test("on a very narrow terminal, addresses are below their rows and no line is too long")
    func folds() {
        var narrow = plain
        narrow.columns = 60

        #expect(
            listenerTable(Sample.status.listeners, now: 0).lines(header: true, on: narrow) == [
                "LISTENER  STATE      SESSIONS      IN    OUT",
                "echo      accepting        12  117.7M  1000B",
                "  └ 127.0.0.1:7007",
                "  └ [::1]:7007",
                "web       paused       2 of 2    4.7G     0B",
                "  └ [::]:8080 (systemd)",
                "  └ session limit reached",
            ]
        )
    }

    @Test("upstreams are printed with their servers, and failures below them")
    func tellsUpstreams() {
        let table = upstreamTable(Sample.upstreams, now: Sample.start + 184_000_000)

        let lines = table.lines(header: true, on: plain).map(\.description)
        #expect(lines.joined(separator: "\n") == upstreamLines)
    }

    @Test("the status ends with the upstreams, if there are any")
    func reportsUpstreams() {
        let report = StatusReport(status: Sample.status, now: Sample.start, terminal: plain)
        let table = upstreamTable(Sample.upstreams, now: Sample.start)
        let end = [""] + table.lines(header: true, on: plain)

        #expect(report.lines(hasLegend: true).suffix(end.count) == end[...])
    }

    @Test("a terminal wider than needed changes nothing")
    func doesNotFold() {
        let table = listenerTable(Sample.status.listeners, now: 0)
        let unlimited = table.lines(header: true, on: plain)
        var terminal = plain
        terminal.columns = unlimited.map(\.count).max()
        #expect(table.lines(header: true, on: terminal) == unlimited)
        terminal.columns = terminal.columns.map { $0 - 1 }
        #expect(table.lines(header: true, on: terminal) != unlimited)
    }
}

@Suite("Table of checked and limited servers")
struct CheckedServerTableTests {
    @Test("a server without a result of its checks is unchecked, and a limit follows the sessions")
    func shows() {
        var upstream = Sample.upstreams[0]
        upstream.servers.removeLast()
        upstream.servers[0].state = .unchecked
        upstream.servers[1].maxSessions = 9
        let plain = Terminal(isInteractive: false, hasColor: false)
        let lines = upstreamTable([upstream], now: Sample.start).lines(header: false, on: plain)
        let text = lines.map(\.description).joined(separator: "\n")
        #expect(text.contains("1 of 2 up"))
        #expect(text.contains("10.0.0.1:80      unchecked"))
        #expect(text.contains(" 4 of 9 "))
    }
}

/// The table for `Sample.upstreams`, 3 min 4 s after the last change.
private let upstreamLines = """
    UPSTREAM  SERVER                       STATE       WEIGHT  SESSIONS  SERVED  FAILED    TO  FROM
    app       roundRobin                   2 of 3 up                 12    1200       3  1.5K  6.0K
              10.0.0.1:80                  up               1         8     800       1  512B  2.0K
              app.internal:80              up               1         4     400       1  512B  2.0K
      └ at 10.0.0.5:80, [2001:db8::5]:80
              unix:/run/app.sock (backup)  down             2         0       0       1  512B  2.0K
      └ for 3min 4s: No such file or directory
    db        leastSessions                0 of 2 up             5 of 5       0       2  1.0K  4.0K
      └ 3 sessions wait
              10.0.0.9:5432                ejected          1         0       0       1  512B  2.0K
      └ for 3min 4s
              db.internal:5432             unresolved       1         0       0       1  512B  2.0K
      └ for 3min 4s: no answer
    """
