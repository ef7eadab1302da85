internal import Testing

@testable internal import StrictJSON
@testable internal import VerypollConfiguration

@Suite("Configuration rules")
struct ConfigurationRuleTests {
    @Test(
        "a value of the wrong type is reported with the expected type",
        arguments: [
            (
                "\"workers\": 1.5",
                "/workers: must be \"auto\", or a whole number from 1 to 1024, not the"
                    + " number 1.5"
            ),
            (
                "\"workers\": \"all\"",
                "/workers: must be \"auto\", or a whole number from 1 to 1024, not the"
                    + " string \"all\""
            ),
            ("\"limits\": 5", "/limits: must be an object, not the number 5"),
            (
                "\"limits\": {\"maxSessions\": null}",
                "/limits/maxSessions: must be a whole number from 1 to 10000000, not null;"
                    + " remove the key to use its default"
            ),
            ("\"log\": {\"sessions\": []}", "/log/sessions: must be true or false, not a list"),
            (
                "\"log\": {\"level\": true}",
                "/log/level: must be one of \"trace\", \"debug\", \"info\", \"notice\","
                    + " \"warning\", \"error\", \"critical\", not true"
            ),
            ("\"control\": {\"group\": 7}", "/control/group: must be a string, not the number 7"),
            (
                "\"drain\": {\"deadline\": {}}",
                "/drain/deadline: must be a time span such as \"30s\" or \"1min 30s\","
                    + " not an object"
            ),
            (
                "\"drain\": {\"deadline\": \"off\"}",
                "/drain/deadline: \"off\" is not a valid time span: expected a number and a unit,"
                    + " found \"off\""
            ),
            ("\"upstreams\": []", "/upstreams: must be an object, not a list"),
            (
                "\"control\": {\"group\": \"a b\"}",
                "/control/group: \"a b\" is not a valid group name; use a name from /etc/group"
            ),
            (
                "\"control\": {\"socket\": \"c.sock\"}",
                "/control/socket: \"c.sock\" is not an absolute path; begin it with \"/\""
            ),
            (
                "\"control\": {\"mode\": \"0999\"}",
                "/control/mode: \"0999\" is not a valid file mode; write 0 and three octal"
                    + " digits, as in \"0660\""
            ),
        ]
    )
    func types(keys: String, expected: String) {
        let text = listener().dropFirst()
        #expect(complaints(about: "{\(keys), \(text)") == [expected])
    }

    @Test(
        "numbers and time spans out of range are rejected",
        arguments: [
            (
                "\"maxSessions\": 0",
                "/maxSessions: must be a whole number from 1 to 10000000, not the number 0"
            ),
            (
                "\"maxSessions\": 1e3",
                "/maxSessions: must be a whole number from 1 to 10000000, not the number 1e3"
            ),
            (
                "\"socket\": {\"backlog\": 65536}",
                "/socket/backlog: must be a whole number from 1 to 65535, not the number"
                    + " 65536"
            ),
            (
                "\"socket\": {\"keepAlive\": \"500ms\"}",
                "/socket/keepAlive: must be from 1s to 9h 6min 7s, not \"500ms\""
            ),
            (
                "\"timeouts\": {\"idle\": \"0\"}",
                "/timeouts/idle: must be from 1ms to 100y, not \"0\"; write \"off\" to disable it"
            ),
            (
                "\"timeouts\": {\"userTimeout\": \"1month\"}",
                "/timeouts/userTimeout: must be from 1ms to 3w 3d 20h 31min 23s 647ms, not"
                    + " \"1month\""
            ),
        ]
    )
    func ranges(keys: String, expected: String) {
        #expect(complaints(about: listener(keys)) == ["/listeners/web" + expected])
    }

    @Test(
        "a configuration without a listener is rejected",
        arguments: [
            ("{}", "1:1: the key \"listeners\" is missing; add it"),
            (
                "{\"listeners\": {}}",
                "1:15: /listeners: the object is empty; add a member under a name of your choice"
            ),
            ("[]", "1:1: must be an object, not a list"),
        ]
    )
    func noListeners(text: String, expected: String) {
        #expect(problems(in: text) == [expected])
    }

    @Test("a listener's missing required keys are reported")
    func missingKeys() {
        #expect(
            problems(in: "{\"listeners\": {\"web\": {}}}") == [
                "1:23: /listeners/web: the key \"listen\" is missing; add it",
                "1:23: /listeners/web: the key \"handler\" is missing; add it",
            ]
        )
        #expect(
            complaints(about: "{\"listeners\": {\"web\": {\"listen\": [], \"handler\": {}}}}") == [
                "/listeners/web/listen: the list is empty; add at least one element",
                "/listeners/web/handler: the key \"type\" is missing; add it",
            ]
        )
    }

    @Test("listener names consist of letters, digits, periods, underscores and hyphens")
    func names() {
        let text = { (name: String) in listener().replacing("\"web\"", with: "\"\(name)\"") }
        #expect(problems(in: text("A.b_c-9")).isEmpty)
        for name in ["", "a b", "é", "a/b", String(repeating: "x", count: 65)] {
            let found = problems(in: text(name))
            #expect(found.count == 1)
            #expect(found.first?.hasPrefix("1:16: /listeners/") ?? false)
            #expect(found.first?.contains("not a valid name; use 1 to 64 ASCII letters") ?? false)
        }
    }

    @Test("a proxy needs an upstream, and other handlers reject one")
    func handlers() {
        let text = { (handler: String) in
            listener().replacing("{\"type\": \"echo\"}", with: "{\(handler)}")
        }
        #expect(
            complaints(about: text("\"type\": \"proxy\""))
                == [
                    "/listeners/web/handler: the handler \"proxy\" needs the key \"upstream\"; add it"
                ]
        )
        #expect(
            complaints(about: text("\"type\": \"echo\", \"upstream\": \"a\"")) == [
                "/listeners/web/handler/upstream: the handler \"echo\" has no upstream; remove the key"
            ]
        )
        #expect(
            complaints(about: text("\"type\": \"echo\", \"page\": false")) == [
                "/listeners/web/handler/page: the handler \"echo\" has no page; remove the key"
            ]
        )
        #expect(complaints(about: text("\"type\": \"metrics\", \"page\": true")) == [])
        #expect(
            complaints(about: text("\"type\": \"eco\"")) == [
                "/listeners/web/handler/type: must be one of \"echo\", \"discard\", \"drop\","
                    + " \"daytime\", \"chargen\", \"metrics\", \"proxy\", not \"eco\" (did you mean"
                    + " \"echo\"?)"
            ]
        )
    }

    @Test(
        "overlapping addresses are rejected",
        arguments: [
            ("127.0.0.1:80", "127.0.0.1:80"), ("0.0.0.0:80", "127.0.0.1:80"),
            ("127.0.0.1:80", "0.0.0.0:80"), ("[::]:80", "[::1]:80"), ("[::1]:80", "[::]:80"),
            ("[::]:80", "0.0.0.0:80"), ("0.0.0.0:80", "[::]:80"), ("[::]:80", "10.0.0.1:80"),
            ("10.0.0.1:80", "[::]:80"), ("[::ffff:10.0.0.1]:80", "10.0.0.1:80"),
            ("unix:/run/a", "unix:/run/./a"), ("unix:@a", "unix:@a"), ("systemd:a", "systemd:a"),
            ("vsock:3:80", "vsock:3:80"), ("vsock:*:80", "vsock:3:80"),
            ("vsock:3:80", "vsock:*:80"), ("vsock:*:80", "vsock:*:80"),
        ]
    )
    func overlaps(first: String, second: String) {
        let between = """
            {"listeners": {"a": {"listen": ["\(first)"], "handler": {"type": "echo"}},
            "b": {"listen": ["\(second)"], "handler": {"type": "echo"}}}}
            """
        #expect(
            problems(in: between).map { $0.prefix { $0 != ";" } } == [
                "2:18: /listeners/b/listen/0: \(second) of the listener \"b\" overlaps with"
                    + " \(first) of the listener \"a\" (/listeners/a/listen/0)"
            ]
        )
        #expect(
            complaints(about: listener(listen: "\(first)\", \"\(second)")).map {
                $0.prefix { $0 != ";" }
            } == [
                "/listeners/web/listen/1: \(second) of the listener \"web\" overlaps with \(first)"
                    + " of the listener \"web\" (/listeners/web/listen/0)"
            ]
        )
    }

    @Test(
        "addresses that do not overlap are accepted",
        arguments: [
            ("127.0.0.1:80", "127.0.0.1:81"), ("127.0.0.1:80", "127.0.0.2:80"),
            ("127.0.0.1:0", "127.0.0.1:0"), ("[::1]:80", "0.0.0.0:80"),
            ("[::1]:80", "127.0.0.1:80"),
            ("[fe80::1%2]:80", "[fe80::1%3]:80"), ("unix:/a", "unix:@/a"),
            ("systemd:a", "systemd:b"), ("vsock:3:80", "vsock:4:80"),
            ("vsock:*:80", "vsock:3:81"), ("vsock:*:4294967295", "vsock:*:4294967295"),
            ("vsock:*:80", "0.0.0.0:80"),
        ]
    )
    func apart(first: String, second: String) {
        #expect(problems(in: listener(listen: "\(first)\", \"\(second)")).isEmpty)
    }

    @Test("with onlyV6, the IPv6 wildcard overlaps with IPv6 addresses but not with IPv4")
    func onlyV6() {
        let keys = "\"socket\": {\"onlyV6\": true}"
        #expect(problems(in: listener(keys, listen: "[::]:80\", \"0.0.0.0:80")).isEmpty)
        #expect(problems(in: listener(keys, listen: "[::]:80\", \"127.0.0.1:80")).isEmpty)
        #expect(problems(in: listener(keys, listen: "[::]:80\", \"[::1]:80")).count == 1)
    }

    @Test("a listener can't use the control socket's path")
    func controlSocket() {
        let text = listener(listen: "unix:/run/c").dropFirst()
        #expect(
            complaints(about: "{\"control\": {\"socket\": \"/run/c\"}, \(text)") == [
                "/listeners/web/listen/0: unix:/run/c of the listener \"web\" overlaps with the"
                    + " control socket unix:/run/c (/control/socket); use another address, or"
                    + " remove one of them"
            ]
        )
    }

    @Test(
        "onlyV6 is the remedy if an IPv6 wildcard overlaps with IPv4 only",
        arguments: [
            ("[::]:80", "0.0.0.0:80", "a"), ("127.0.0.1:80", "[::]:80", "b"),
            ("[::]:80", "[::ffff:10.0.0.1]:80", "a"), ("[::]:80", "[::1]:80", nil),
            ("0.0.0.0:80", "10.0.0.1:80", nil), ("[::]:80", "[::]:80", nil),
        ]
    )
    func onlyV6Remedy(first: String, second: String, listener: String?) {
        let text = """
            {"listeners": {"a": {"listen": ["\(first)"], "handler": {"type": "echo"}},
            "b": {"listen": ["\(second)"], "handler": {"type": "echo"}}}}
            """
        let remedy =
            listener.map {
                " remove one of them, or set \"socket\": {\"onlyV6\": true} in the listener"
                    + " \"\($0)\", so that [::]:80 does not accept IPv4"
            } ?? " use another address, or remove one of them"
        #expect(complaints(about: text).map { $0.split(separator: ";").last } == [remedy[...]])
    }

    @Test(
        "invalid servers are rejected",
        arguments: [
            ("[]", "/servers: the list is empty; add at least one element"),
            (
                "[\"a:1\", \"a:1\"]",
                "/servers/1: duplicate server; first listed at /upstreams/app/servers/0; remove one"
                    + " (set a weight to give a server more sessions)"
            ),
            (
                "[5]",
                "/servers/0: must be a string, or an object with the key \"address\" or \"srv\","
                    + " not the number 5"
            ),
            (
                "[{\"address\": \"a:1\", \"wieght\": 2}]",
                "/servers/0/wieght: unknown key (did you mean \"weight\"?)"
            ),
            (
                "[{\"weight\": 1}]",
                "/servers/0: the key \"address\" is missing; add it (or \"srv\" for servers that DNS"
                    + " names)"
            ),
            (
                "[{\"address\": \"a:1\", \"weight\": 0}]",
                "/servers/0/weight: must be a whole number from 1 to 1000, not the number 0"
            ),
            (
                "[\"a:0\"]", "/servers/0: \"a:0\" has port 0; write the port of the server"
            ),
            (
                "[\"systemd:a\"]",
                "/servers/0: \"systemd:a\" is an address for listeners only; use another"
            ),
        ]
    )
    func servers(list: String, expected: String) {
        #expect(
            complaints(about: upstream("\"servers\": \(list)")) == ["/upstreams/app" + expected]
        )
    }

    @Test("each duplicate of a server is reported with the place of the first one")
    func duplicateServers() {
        let found = complaints(about: upstream(#""servers": ["a:1", "a:1", "a:1"]"#))
        let first = "duplicate server; first listed at /upstreams/app/servers/0"
        #expect(found.count { $0.contains(first) } == 2)
    }

    @Test("exitOnIdle requires that systemd provides all sockets")
    func exitOnIdle() {
        let text = { (address: String) in
            "{\"exitOnIdle\": \"1min\", \(listener(listen: address).dropFirst())"
        }
        #expect(complaints(about: text("systemd:web")) == [])
        #expect(
            complaints(about: text("systemd:web\", \"[::1]:80")) == [
                "/exitOnIdle: requires that systemd opens all sockets, but the listener \"web\" has"
                    + " [::1]:80; write \"off\", or use a systemd: address"
            ]
        )
    }
}
