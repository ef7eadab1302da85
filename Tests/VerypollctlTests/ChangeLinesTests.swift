import Console
import Testing
import VerypollControl

@testable import verypollctl

@Suite("Lines about changes")
struct ChangeLinesTests {
    private func lines(_ changes: ConfigurationChange...) -> [String] {
        let plain = Terminal(isInteractive: false, hasColor: false, columns: nil)
        return changeLines(ChangeList(changes: changes), on: plain).map(\.description)
    }

    private func change(
        _ pointer: String,
        _ before: String?,
        _ after: String?
    ) -> ConfigurationChange {
        ConfigurationChange(
            pointer: pointer,
            kind: before == nil ? .added : after == nil ? .removed : .changed,
            before: before,
            after: after
        )
    }

    @Test("a changed key is one line")
    func changes() {
        #expect(
            lines(
                change("/listeners/web/maxSessions", "10", "20"),
                change("/listeners/web/acceptRate", nil, #"{"perSecond":5,"burst":5}"#)
            ) == [
                "~ /listeners/web/maxSessions: 10 → 20",
                "+ /listeners/web/acceptRate/burst: 5",
                "+ /listeners/web/acceptRate/perSecond: 5",
            ]
        )
    }

    @Test("an added listener has a line for each key that is not at its default")
    func adds() {
        let after = """
            {"listen":["127.0.0.1:1"],"handler":{"type":"proxy","upstream":"a","inspect":"off"},
            "whenFull":"pause","deny":[],"timeouts":{"idle":"5min","lifetime":"off"}}
            """
        #expect(
            lines(change("/listeners/new", nil, after)) == [
                #"+ /listeners/new/handler/type: "proxy""#,
                #"+ /listeners/new/handler/upstream: "a""#,
                #"+ /listeners/new/listen: ["127.0.0.1:1"]"#,
                #"+ /listeners/new/timeouts/idle: "5min""#,
            ]
        )
    }

    @Test("the required keys of optional objects are shown, whatever their values are")
    func showsRequiredKeys() {
        let after = """
            {"listen":["127.0.0.1:1"],"handler":{"type":"echo"},
            "proxyProtocol":{"from":["127.0.0.1"]},"acceptRate":{"perSecond":1}}
            """
        let lines = lines(change("/listeners/new", nil, after))
        #expect(lines.contains(#"+ /listeners/new/proxyProtocol/from: ["127.0.0.1"]"#))
        #expect(lines.contains("+ /listeners/new/acceptRate/perSecond: 1"))
    }

    @Test("servers are compared by their addresses, without defaults")
    func comparesServers() {
        let first = #"{"address":"a:1","weight":1,"backup":false}"#
        let heavy = #"{"address":"a:1","weight":5,"backup":false}"#
        let second = #"{"address":"b:1","weight":1,"backup":false}"#
        let third = #"{"address":"c:1","weight":1,"backup":true}"#
        #expect(
            lines(
                change(
                    "/upstreams/app/servers",
                    "[\(first),\(second)]",
                    "[\(heavy),\(third)]"
                )
            ) == [
                #"- /upstreams/app/servers: "b:1""#,
                "~ /upstreams/app/servers/a:1/weight: 1 → 5",
                #"+ /upstreams/app/servers: {"address":"c:1","backup":true}"#,
            ]
        )
        #expect(
            lines(change("/upstreams/new", nil, #"{"servers":[\#(first)],"maxSessions":0}"#))
                == [#"+ /upstreams/new/servers: ["a:1"]"#]
        )
    }

    @Test("a list has a line for each element that differs, unless only the order does")
    func comparesLists() {
        #expect(
            lines(change("/listeners/a/deny", #"["10.0.0.0/8","::1"]"#, #"["::1","::2"]"#)) == [
                #"- /listeners/a/deny: "10.0.0.0/8""#, #"+ /listeners/a/deny: "::2""#,
            ]
        )
        #expect(
            lines(change("/listeners/a/deny", #"["a","b"]"#, #"["b","a"]"#))
                == [#"~ /listeners/a/deny: ["a","b"] → ["b","a"]"#]
        )
    }

    @Test("an optional object is shown although all of its keys are at their defaults")
    func showsOptionalObject() {
        let check = """
            {"interval":"2s","timeout":"2s","rise":2,"fall":3,"send":"","expect":""}
            """
        let lines = lines(
            change("/upstreams/new", nil, #"{"servers":[],"check":\#(check)}"#)
        )
        #expect(lines.contains { $0.hasPrefix("+ /upstreams/new/check") })
    }
}
