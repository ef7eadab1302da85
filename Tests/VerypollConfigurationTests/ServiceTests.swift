internal import Testing

@testable internal import VerypollConfiguration

@Suite("Services in the configuration")
struct ServiceTests {
    private func upstream(_ servers: String, _ keys: String = "") -> String {
        """
        {"workers": 1, "listeners": {"a": {"listen": ["127.0.0.1:0"],
          "handler": {"type": "proxy", "upstream": "app"}}},
        "upstreams": {"app": {"servers": [\(servers)]\(keys)}}}
        """
    }

    @Test("a service is read with its settings, and the name is normalized")
    func reads() throws {
        let text = upstream(
            #"""
            "10.0.0.1:80", {"srv": "_App._TCP.Example.", "backup": true, "maxSessions": 3,
            "state": "drain"}, "10.0.0.2:80"
            """#,
            #", "resolve": {"atLeast": "2s", "atMost": "1min"}"#
        )
        let app = try configuration(text).upstreams[0]
        #expect(app.servers.count == 2)
        #expect(
            app.services == [
                UpstreamConfiguration.Service(
                    name: "_app._tcp.example",
                    place: 1,
                    backup: true,
                    maxSessions: 3,
                    state: .drain
                )
            ]
        )
        #expect(app.resolve.atLeast == .seconds(2))
        #expect(app.resolve.atMost == .seconds(60))
    }

    @Test("an upstream needs no other server than a service")
    func suffices() throws {
        let app = try configuration(upstream(#"{"srv": "app.service.consul"}"#)).upstreams[0]
        #expect(app.servers.isEmpty)
        #expect(app.resolve.atLeast == .seconds(1))
        #expect(app.resolve.atMost == .seconds(300))
    }

    @Test(
        "invalid services are rejected with a remedy",
        arguments: [
            (
                #"{"srv": "a.example", "weight": 2}"#,
                "0/weight: can't be combined with \"srv\"; the records have the weights of the"
                    + " servers; remove this key"
            ),
            (
                #"{"srv": "a.example", "address": "a:1"}"#,
                "0/address: can't be combined with \"srv\"; remove this key, or the key \"srv\""
            ),
            (
                #"{"srv": "a.example:80"}"#,
                "0/srv: \"a.example:80\" has a port or is an address; SRV records name the ports,"
                    + " so write the name of the records, such as \"a.example\""
            ),
            (
                #"{"srv": "a..example"}"#,
                "0/srv: \"a..example\" is not a valid domain name; write one such as"
                    + " \"_app._tcp.example.com\""
            ),
            (#"{"srv": "a.b"}, {"srv": "A.b."}"#, "1: duplicate service; remove one"),
        ]
    )
    func rejects(servers: String, expected: String) {
        #expect(complaints(about: upstream(servers)) == ["/upstreams/app/servers/" + expected])
    }

    @Test("the bounds of the time between questions must be in order")
    func checksBounds() {
        let keys = #", "resolve": {"atLeast": "10s", "atMost": "5s"}"#
        #expect(
            complaints(about: upstream(#"{"srv": "a.b"}"#, keys)) == [
                "/upstreams/app/resolve/atMost: atMost (5s) must not be less than atLeast (10s);"
                    + " raise atMost, or lower atLeast"
            ]
        )
    }
}
