import Testing

@testable import VerypollConfiguration

@Suite("Routing")
struct RoutingTests {
    private static func text(_ handler: String) -> String {
        """
        {"listeners": {"front": {"listen": ["127.0.0.1:1"],
        "handler": {"type": "proxy", \(handler)}}},
        "upstreams": {"one": {"servers": ["127.0.0.1:2"]}, "two": {"servers": ["127.0.0.1:3"]}}}
        """
    }

    private static func routes(_ routes: String) -> String {
        text(#""inspect": "tls", "routes": {\#(routes)}"#)
    }

    @Test("routes are read")
    func reads() throws {
        let read = try configuration(
            Self.text(
                #"""
                "inspect": "tls", "upstream": "two", "notTLS": "one", "routes": {
                "b": {"serverNames": ["Shop.example.com.", "*.example.com", ""], "upstream": "one"},
                "a": {"alpn": ["h2"], "upstream": "two"}}
                """#
            )
        )
        let routing = read.listeners[0].handler.routing
        #expect(routing?.inspection == .tls)
        #expect(routing?.routes.map(\.name) == ["a", "b"])
        #expect(
            routing?.routes[1].serverNames?.map(\.description)
                == ["shop.example.com", "*.example.com", ""]
        )
        #expect(routing?.upstreams == ["two", "one", "two", "one"])
        #expect(read.listeners[0].timeouts.inspect == .seconds(5))
    }

    @Test(
        "settings that contradict each other are reported",
        arguments: [
            (
                #""upstream": "one", "routes": {"a": {"upstream": "one"}}"#,
                "/listeners/front/handler/routes: has no effect without inspection; add"
                    + " \"inspect\": \"tls\", or remove the key"
            ),
            (
                #""upstream": "one", "notTLS": "one", "inspect": "off""#,
                "/listeners/front/handler/notTLS: has no effect without inspection; add"
                    + " \"inspect\": \"tls\", or remove the key"
            ),
            (
                #""inspect": "off""#,
                "/listeners/front/handler: the handler \"proxy\" needs the key \"upstream\"; add it"
            ),
            (
                #""inspect": "tls""#,
                "/listeners/front/handler: the handler \"proxy\" needs the key \"routes\" or"
                    + " \"upstream\"; add one"
            ),
            (
                #""inspect": "tls", "routes": {"a": {"upstream": "on"}}"#,
                "/listeners/front/handler/routes/a/upstream: no upstream is named \"on\" (did you"
                    + " mean \"one\"?)"
            ),
            (
                #""inspect": "tls", "upstream": "one", "notTLS": "x""#,
                "/listeners/front/handler/notTLS: no upstream is named \"x\""
            ),
            (
                #""inspect": "ssl", "upstream": "one""#,
                "/listeners/front/handler/inspect: must be one of \"off\", \"tls\","
                    + " \"postgresql\", not \"ssl\""
            ),
        ]
    )
    func refuses(handler: String, complaint: String) {
        #expect(complaints(about: Self.text(handler)) == [complaint])
    }

    @Test(
        "two routes that match the same clients are reported with both places",
        arguments: [
            (
                #""a": {"serverNames": ["x.y"], "upstream": "one"},"#
                    + #""b": {"serverNames": ["z", "X.y."], "upstream": "two"}"#,
                "/listeners/front/handler/routes/b/serverNames/1: matches the same clients as"
                    + " /listeners/front/handler/routes/a/serverNames/0; change one of them"
            ),
            (
                #""a": {"alpn": ["h3", "h2"], "upstream": "one"},"#
                    + #""b": {"alpn": ["h2"], "upstream": "two"}"#,
                "/listeners/front/handler/routes/b/alpn/0: matches the same clients as"
                    + " /listeners/front/handler/routes/a/alpn/1; change one of them"
            ),
            (
                #""a": {"upstream": "one"}, "b": {"upstream": "two"}"#,
                "/listeners/front/handler/routes/b: matches the same clients as"
                    + " /listeners/front/handler/routes/a; change one of them"
            ),
            (
                #""a": {"serverNames": ["*.x"], "alpn": ["h2"], "upstream": "one"},"#
                    + #""b": {"serverNames": ["*.x"], "alpn": ["h1", "h2"], "upstream": "two"}"#,
                "/listeners/front/handler/routes/b/serverNames/0: matches the same clients as"
                    + " /listeners/front/handler/routes/a/serverNames/0; change one of them"
            ),
        ]
    )
    func refusesAmbiguity(routes: String, complaint: String) {
        #expect(complaints(about: Self.routes(routes)) == [complaint])
    }

    @Test("routes with the same name and different protocols are allowed")
    func allows() throws {
        _ = try configuration(
            Self.routes(
                #""a": {"serverNames": ["x", "*.x"], "upstream": "one"},"#
                    + #""b": {"serverNames": ["x"], "alpn": ["h2"], "upstream": "two"},"#
                    + #""c": {"alpn": ["h2"], "upstream": "two"}, "d": {"upstream": "one"}"#
            )
        )
    }

    @Test(
        "a server name that no client can send is reported with its remedy",
        arguments: [
            (
                "192.0.2.1",
                "\"192.0.2.1\" is an address, and clients send no address as a name; use a name,"
                    + " or \"\" for clients that send none"
            ),
            (
                "shop.*.com",
                "\"shop.*.com\" has an asterisk that is not its first label; write a name such as"
                    + " \"*.example.com\", or leave out serverNames for all names"
            ),
            (
                "bücher.example",
                "\"bücher.example\" is not in the form that clients send; write its ASCII form,"
                    + " which begins with \"xn--\""
            ),
            (
                "a_b.example",
                "\"a_b.example\" is not a valid server name; write labels of letters, digits and"
                    + " hyphens with dots between them, such as \"shop.example.com\" or"
                    + " \"*.example.com\""
            ),
        ]
    )
    func explainsNames(name: String, complaint: String) {
        let found = complaints(
            about: Self.routes(#""a": {"serverNames": ["\#(name)"], "upstream": "one"}"#)
        )
        #expect(found == ["/listeners/front/handler/routes/a/serverNames/0: \(complaint)"])
    }
}
