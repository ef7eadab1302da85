internal import Testing
internal import VerypollControl

@testable internal import StrictJSON
@testable internal import VerypollConfiguration

@Suite("Effective configuration")
struct EffectiveConfigurationTests {
    /// A configuration that sets every key.
    private static let everything = """
        {"workers": 3,
        "control": {"socket": "/run/c.sock", "mode": "0600", "group": "adm"},
        "limits": {"maxSessions": 500}, "drain": {"deadline": "1min 30s"},
        "log": {"level": "debug", "sessions": true, "format": "json"},
        "listeners": {
          "a": {"listen": ["[::]:80", "unix:@z", "unix:/run/a", "systemd:a b"],
            "handler": {"type": "proxy", "upstream": "app"},
            "maxSessions": 400, "whenFull": "reject", "maxSessionsPerSource": 7,
            "acceptRate": {"perSecond": 5}, "allow": ["10.0.0.0/8", "::1"], "deny": ["10.0.0.6"],
            "proxyProtocol": {"from": ["127.0.0.1"]},
            "timeouts": {"firstByte": "off", "idle": "1500ms", "halfClosed": "1s",
              "lifetime": "30d 12h", "userTimeout": "10s", "inspect": "9s"},
            "socket": {"backlog": 16, "noDelay": false, "keepAlive": "off", "reusePort": true,
              "freeBind": true, "deferAccept": "5s", "onlyV6": true, "mode": "0606",
              "owner": "root", "group": "adm"}, "log": {"sessions": false}},
          "b": {"listen": ["127.0.0.1:0"], "handler": {"type": "chargen"}},
          "m": {"listen": ["127.0.0.1:8"], "handler": {"type": "metrics", "page": true}},
          "n": {"listen": ["127.0.0.1:9"], "handler": {"type": "proxy", "inspect": "postgresql",
            "routes": {"z": {"serverNames": ["*.x", "y"], "upstream": "app"},
              "h": {"alpn": ["h2"], "upstream": "plain"}}, "upstream": "app",
            "notTLS": "plain"}}},
        "upstreams": {
          "app": {"servers": [{"address": "unix:/a", "weight": 2, "backup": true,
            "maxSessions": 3, "state": "drain"}, "[::1]:2"], "slowStart": "2min",
            "balance": "sourceHash", "hashKey": "destination", "connectTimeout": "1s",
            "retry": {"for": "1min"}, "maxSessions": 9, "check": {"send": "PI\\nNG", "expect": "PONG"},
            "passive": {"fall": 1, "for": "1s"}, "whenDown": "close", "proxyProtocol": "v2",
            "resolve": {"every": "1h", "atLeast": "2s", "atMost": "3min"}},
          "db": {"servers": ["db:5432", {"srv": "_db._tcp.x", "backup": true, "maxSessions": 4,
            "state": "down"}, "db2:5432"], "check": {"type": "postgresql", "rise": 1, "fall": 4,
            "interval": "1s", "timeout": "3s", "port": 5433,
            "postgresql": {"user": "me", "database": "shop"}}},
          "plain": {"servers": ["app.internal:80"], "check": {"http": {"path": "/health",
            "host": "app.example", "method": "OPTIONS", "status": "200,301-302"}}}}}
        """

    @Test(
        "the effective configuration parses back to an equivalent one",
        arguments: [everything, listener()]
    )
    func parsesBack(text: String) throws {
        try expectParsesBack(text)
    }

    @Test("the effective configuration of every shipped file parses back to an equivalent one")
    func parsesBackFiles() throws {
        for path in try ["config/default.json"] + exampleFiles() {
            try expectParsesBack(String(decoding: repositoryFile(path), as: UTF8.self))
        }
    }

    private func expectParsesBack(_ text: String) throws {
        var original = try configuration(text)
        var again = try configuration(JSONValue.object(original.effective).text)
        // A JSON object loses the order of the file, which has no meaning.
        original.listeners.sort { $0.name < $1.name }
        again.listeners.sort { $0.name < $1.name }
        original.upstreams.sort { $0.name < $1.name }
        again.upstreams.sort { $0.name < $1.name }

        #expect((again == original) == true)
        #expect(original.changes(to: again) == [])
    }

    @Test("defaults are filled in, and time spans are written as text")
    func fillsIn() throws {
        let members = try configuration(listener()).effective
        #expect(members["drain"] == .object(["deadline": .string("30s")]))
        #expect(members["exitOnIdle"] == .string("off"))
        #expect(members["control"] == .object(["mode": .string("0660")]))
        let web = try #require(members["listeners"]?["web"])
        #expect(web["maxSessions"] == nil)
        #expect(web["whenFull"] == .string("pause"))
        #expect(
            web["timeouts"]
                == .object([
                    "firstByte": .string("30s"), "idle": .string("1h"),
                    "halfClosed": .string("5min"), "lifetime": .string("off"),
                    "userTimeout": .string("off"), "inspect": .string("5s"),
                ])
        )
    }

    @Test("changes are listed by pointer, and an object on one side only is a single change")
    func differs() throws {
        let before = try configuration(Self.everything)
        let after = try configuration(
            Self.everything
                .replacing("\"workers\": 3", with: "\"workers\": 4")
                .replacing("\"maxSessions\": 400, ", with: "")
                .replacing("1500ms", with: "1.5s")
                .replacing("\"fall\": 1", with: "\"fall\": 2")
                .replacing("[::]:80", with: "[::]:81")
                .replacing("\"b\": {", with: "\"c\": {")
                .replacing("\"check\": {\"send\": \"PI\\nNG\", \"expect\": \"PONG\"},", with: "")
        )
        let changes = before.changes(to: after)

        #expect(
            changes.map { "\($0.kind.rawValue) \($0.pointer)" } == [
                "changed /listeners/a/listen", "removed /listeners/a/maxSessions",
                "removed /listeners/b", "added /listeners/c",
                "removed /upstreams/app/check", "changed /upstreams/app/passive/fall",
                "changed /workers",
            ]
        )
        let workers = try #require(changes.last)
        #expect((workers.before, workers.after) == ("3", "4"))
        #expect(changes[1].before == "400")
        #expect(changes[1].after == nil)
        #expect(changes[3].before == nil)
        #expect(changes[3].after?.contains(#""handler":{"type":"chargen"}"#) == true)
        #expect(changes[0].after == #"["[::]:81","unix:@z","unix:/run/a","systemd:a b"]"#)
    }
}
