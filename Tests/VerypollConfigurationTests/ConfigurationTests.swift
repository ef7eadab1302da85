internal import SystemPackage
internal import Testing
internal import Verypoll

@testable internal import StrictJSON
@testable internal import VerypollConfiguration

@Suite("Configuration")
struct ConfigurationTests {
    @Test("absent keys have their defaults")
    func defaults() throws {
        let configuration = try configuration(listener())
        #expect(configuration.workers == ProcessorCount.available())
        #expect(
            configuration.control == .init(socket: nil, mode: [.ownerReadWrite, .groupReadWrite])
        )
        #expect(configuration.limits.maxSessions == 100_000)
        #expect(configuration.drain.deadline == .seconds(30))
        #expect(!configuration.restart.keepSessions)
        #expect(configuration.exitOnIdle == nil)
        #expect("\(configuration.log.level)" == "info")
        #expect(!configuration.log.sessions)
        #expect(configuration.upstreams.isEmpty)
        #expect(
            configuration.listeners == [
                ListenerConfiguration(
                    name: "web",
                    position: Uncompared(SourcePosition(line: 1, column: 16)),
                    addresses: [.ip(.loopback(port: 80))],
                    handler: .echo,
                    whenFull: .pause,
                    deny: AddressList(),
                    timeouts: Timeouts(
                        firstByte: .seconds(30),
                        idle: .seconds(3600),
                        halfClosed: .seconds(300),
                        inspect: .seconds(5)
                    ),
                    socket: SocketOptions(
                        backlog: 4096,
                        noDelay: true,
                        keepAlive: .seconds(120),
                        reusePort: false,
                        freeBind: false,
                        onlyV6: false,
                        mode: [.ownerReadWrite, .groupReadWrite]
                    ),
                    log: ListenerConfiguration.Log()
                )
            ]
        )
        #expect(
            configuration.listeners[0].position.value == SourcePosition(line: 1, column: 16)
        )
    }

    @Test("every key of the daemon and of a listener is read")
    func settings() throws {
        let configuration = try configuration(
            """
            {"$schema": {}, "workers": 3,
            "control": {"socket": "/run/c.sock", "mode": "0600", "group": "adm"},
            "limits": {"maxSessions": 500}, "drain": {"deadline": "0"},
            "restart": {"keepSessions": false}, "exitOnIdle": "off",
            "log": {"level": "debug", "sessions": true, "format": "json"},
            "listeners": {
              "z": {"listen": ["[::]:80", "unix:@z"], "handler": {"type": "daytime"},
                "log": {"sessions": false}, "maxSessions": 400, "whenFull": "reject", "deny": [],
                "timeouts": {"firstByte": "off", "idle": "2min", "halfClosed": "1s",
                  "lifetime": "1d", "userTimeout": "10s"},
                "socket": {"backlog": 16, "noDelay": false, "keepAlive": "off", "reusePort": true,
                  "freeBind": true, "deferAccept": "5s", "onlyV6": true,
                  "mode": "0600", "owner": "root", "group": "adm"}},
              "a": {"listen": ["0.0.0.0:80"], "handler": {"type": "chargen"}}}}
            """
        )
        #expect(configuration.workers == 3)
        #expect(
            configuration.control
                == .init(socket: "/run/c.sock", mode: [.ownerReadWrite], group: "adm")
        )
        #expect(configuration.limits.maxSessions == 500)
        #expect(configuration.drain.deadline == .zero)
        #expect("\(configuration.log.level)" == "debug")
        #expect(configuration.log.sessions && configuration.log.format == .json)
        #expect(configuration.listeners.map(\.log.sessions) == [false, nil])
        #expect(configuration.listeners.map(\.name) == ["z", "a"])
        let z = configuration.listeners[0]
        #expect(z.addresses == [.ip(SocketAddress(.any(.v6), port: 80)), .unix(.abstract([0x7A]))])
        #expect(z.handler == .daytime)
        #expect(z.maxSessions == 400)
        #expect(z.whenFull == .reject)
        #expect(
            z.timeouts
                == Timeouts(
                    idle: .seconds(120),
                    halfClosed: .seconds(1),
                    lifetime: .seconds(86400),
                    userTimeout: .seconds(10),
                    inspect: .seconds(5)
                )
        )
        #expect(
            z.socket
                == SocketOptions(
                    backlog: 16,
                    noDelay: false,
                    reusePort: true,
                    freeBind: true,
                    deferAccept: .seconds(5),
                    onlyV6: true,
                    mode: [.ownerReadWrite],
                    owner: "root",
                    group: "adm"
                )
        )
    }

    @Test("every key of an upstream is read, and its defaults are filled in")
    func upstreams() throws {
        let first = try configuration(upstream("\"servers\": [\"a:1\"]")).upstreams
        #expect(
            first == [
                UpstreamConfiguration(
                    name: "app",
                    position: Uncompared(SourcePosition(line: 0, column: 0)),
                    servers: [.init(address: .host(name: "a", port: 1), weight: 1, backup: false)],
                    balance: .roundRobin,
                    connectTimeout: .seconds(5),
                    retry: .init(duration: .zero),
                    passive: .init(fall: 5, duration: .seconds(10)),
                    whenDown: .keep,
                    proxyProtocol: .off,
                    resolve: .init(interval: .seconds(30))
                )
            ]
        )
    }

    @Test("the settings of an upstream and of its servers are read")
    func upstreamSettings() throws {
        let second = try configuration(
            upstream(
                """
                "servers": [{"address": "unix:/a", "weight": 2, "backup": true,
                "maxSessions": 3, "state": "drain"}, "[::1]:2"], "slowStart": "2min",
                "balance": "sourceHash", "connectTimeout": "1s", "retry": {"for": "1min"},
                "maxSessions": 9, "check": {"send": "PING", "expect": "PONG"},
                "passive": {"fall": 1, "for": "1s"}, "whenDown": "close", "proxyProtocol": "v2",
                "resolve": {"every": "1h"}
                """
            )
        ).upstreams
        #expect(
            second == [
                UpstreamConfiguration(
                    name: "app",
                    position: Uncompared(SourcePosition(line: 0, column: 0)),
                    servers: [
                        .init(
                            address: .unix(.path("/a")),
                            weight: 2,
                            backup: true,
                            maxSessions: 3,
                            state: .drain
                        ),
                        .init(address: .ip(.loopback(.v6, port: 2)), weight: 1, backup: false),
                    ],
                    balance: .sourceHash,
                    connectTimeout: .seconds(1),
                    retry: .init(duration: .seconds(60)),
                    maxSessions: 9,
                    check: .init(
                        interval: .seconds(5),
                        timeout: .seconds(2),
                        rise: 2,
                        fall: 3,
                        send: "PING",
                        expect: "PONG"
                    ),
                    passive: .init(fall: 1, duration: .seconds(1)),
                    whenDown: .close,
                    proxyProtocol: .v2,
                    resolve: .init(interval: .seconds(3600)),
                    slowStart: .seconds(120)
                )
            ]
        )
    }

    @Test("configurations with the same content at other positions are equal")
    func equality() throws {
        let text = listener()
        let moved = "\n\n" + text.replacing("{", with: "{ ")
        #expect(try configuration(text) == configuration(moved))
        #expect(try configuration(text) != configuration(listener("\"whenFull\": \"reject\"")))
    }

    @Test("ten errors in one file are all reported in file order with their positions")
    func tenMistakes() {
        let text = """
            {
              "workers": 0,
              "control": { "mode": "0660" },
              "drain": { "deadline": "5 parsecs" },
              "listners": {},
              "listeners": {
                "web": {
                  "listen": ["127.0.0.1:80", "localhost:81"],
                  "handler": { "type": "proxy", "upstream": "ap" },
                  "whenFull": "paus"
                },
                "mail": {
                  "listen": ["0.0.0.0:80"],
                  "handler": { "type": "echo" },
                  "timeouts": { "idle": 30 },
                  "socket": { "noDelay": "yes" }
                },
                "mail": {}
              },
              "upstreams": { "app": { "servers": ["10.0.0.1:80"] } }
            }
            """
        let expected = [
            "2:14: /workers: must be \"auto\", or a whole number from 1 to 1024, not the number 0",
            "4:26: /drain/deadline: \"5 parsecs\": unknown unit of time \"parsecs\"; the units are"
                + " us, ms, s, min, h, d, w, month, y",
            "5:3: /listners: unknown key (did you mean \"listeners\"?)",
            "8:34: /listeners/web/listen/1: \"localhost\" is not an IP address; a listener needs"
                + " one, such as \"127.0.0.1:81\" or \"[::1]:81\"",
            "9:49: /listeners/web/handler/upstream: no upstream is named \"ap\" (did you mean"
                + " \"app\"?)",
            "10:19: /listeners/web/whenFull: must be one of \"pause\", \"reject\", not \"paus\" (did"
                + " you mean \"pause\"?)",
            "13:18: /listeners/mail/listen/0: 0.0.0.0:80 of the listener \"mail\" overlaps with"
                + " 127.0.0.1:80 of the listener \"web\" (/listeners/web/listen/0); use another"
                + " address, or remove one of them",
            "15:29: /listeners/mail/timeouts/idle: must be a time span such as \"30s\" or \"1min"
                + " 30s\", or \"off\"; write \"30s\"",
            "16:30: /listeners/mail/socket/noDelay: must be true or false, not the string \"yes\"",
            "18:5: /listeners/mail: duplicate key; first defined at 12:5; remove or rename one",
        ]
        #expect(problems(in: text) == expected)
    }

    @Test("each problem prints as one line with control characters escaped")
    func printing() throws {
        let error = #expect(throws: ConfigurationError.self) {
            try configuration("{\"a\\nb\\u001b\": 1, \"listeners\": []}")
        }
        #expect(
            error?.description
                == """
                test.json:1:2: /a\\u000Ab\\u001B: unknown key (known keys: \
                "$schema", "include", "workers", "control", "limits", "drain", "restart", \
                "exitOnIdle", "log", "listeners", "upstreams")
                test.json:1:32: /listeners: must be an object, not a list
                """
        )
        #expect(error?.problems.first?.pointer == "/a\nb\u{1B}")
        #expect(error?.problems.first?.position == SourcePosition(line: 1, column: 2))
    }

    @Test("a syntax error is the only problem, and has no pointer")
    func syntax() {
        #expect(
            problems(in: "{\"workers\": 0,\n}")
                == ["1:14: trailing comma before the closing }; remove the comma"]
        )
    }

    @Test("a text larger than 1 MiB is rejected")
    func size() {
        let text = listener() + String(repeating: " ", count: 1 << 20)
        #expect(problems(in: text) == [" is larger than 1 MiB; make it smaller"])
        let longest = listener()
        let padding = String(repeating: " ", count: (1 << 20) - longest.utf8.count)
        #expect(problems(in: longest + padding).isEmpty)
    }
}
