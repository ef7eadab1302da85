import Testing

@testable import VerypollConfiguration

@Suite("RouteTable")
struct RouteTableTests {
    private static let routes: [(name: String, names: [String]?, alpn: [String]?)] = [
        ("exact", ["shop.example.com", "b.example"], nil),
        ("grpc", ["shop.example.com"], ["h2"]),
        ("wild", ["*.example.com"], nil),
        ("deep", ["*.shop.example.com"], nil),
        ("deep-h3", ["*.shop.example.com"], ["h3", "h2"]),
        ("acme", nil, ["acme-tls/1"]),
        ("nobody", [""], nil),
        ("only-h2", ["h2.example.net"], ["h2"]),
    ]

    /// Returns the name of the route that matches a client, and why.
    private func match(_ name: String, _ protocols: [String]) throws -> String? {
        let routes = try Self.routes.map { route in
            Route(
                name: route.name,
                serverNames: try route.names?.map { try ServerNamePattern($0) },
                alpn: route.alpn,
                upstream: "u"
            )
        }
        let offer = protocols.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
        var bytes = Array(name.utf8)
        if !ServerName.normalize(&bytes) { bytes = [] }
        let match = RouteTable(routes).match(name: bytes.span, protocols: offer.span)
        return match.map { routes[$0.route].name }
    }

    @Test(
        "the best route matches the client",
        arguments: [
            ("shop.example.com", [], "exact"), ("SHOP.example.com.", [], "exact"),
            ("b.example", ["h2"], "exact"), ("shop.example.com", ["http/1.1"], "exact"),
            // Among equal names, a route with a protocol comes first, wherever the client has it.
            ("shop.example.com", ["http/1.1", "h2"], "grpc"),
            // The longest wildcard wins, and stands for one or more labels, but not for none.
            ("a.example.com", [], "wild"), ("a.b.example.com", [], "wild"),
            ("a.shop.example.com", [], "deep"), ("a.b.shop.example.com", [], "deep"),
            ("example.com", [], nil), ("xshop.example.com", [], "wild"),
            // Of two protocols, the client's first one decides.
            ("a.shop.example.com", ["h2", "h3"], "deep-h3"),
            // A name comes before a route for any name.
            ("shop.example.com", ["acme-tls/1"], "exact"), ("other.test", ["acme-tls/1"], "acme"),
            ("other.test", ["h2"], nil), ("", ["acme-tls/1"], "nobody"), ("", [], "nobody"),
            ("192.0.2.1", [], "nobody"), ("a_b.example.com", [], "nobody"),
            // A route whose name matches but whose protocol does not is not taken.
            ("h2.example.net", ["h2"], "only-h2"), ("h2.example.net", ["h3"], nil),
            ("h2.example.net", ["h3", "acme-tls/1"], "acme"),
        ] as [(String, [String], String?)]
    )
    func chooses(name: String, protocols: [String], route: String?) throws {
        #expect(try match(name, protocols) == route)
    }

    @Test("between two routes with protocols, the client's order decides")
    func followsClient() throws {
        let name = try ServerNamePattern("a.example")
        let routes = [
            Route(name: "one", serverNames: [name], alpn: ["x", "y"], upstream: "u"),
            Route(name: "two", serverNames: [name], alpn: ["z"], upstream: "u"),
        ]
        let table = RouteTable(routes)
        func route(_ offer: String) -> Int? {
            table.match(name: Array("a.example".utf8).span, protocols: Array(offer.utf8).span)?
                .route
        }
        #expect(route("\u{1}z\u{1}y") == 1)
        #expect(route("\u{1}y\u{1}z") == 0)
        #expect(route("\u{2}xx") == nil)
    }

    @Test("a table finds each of many names")
    func findsMany() throws {
        let routes = try (0..<1000).map { index in
            Route(
                name: "r\(index)",
                serverNames: [
                    try ServerNamePattern(index % 2 == 0 ? "n\(index).x" : "*.n\(index).x")
                ],
                upstream: "u"
            )
        }
        let table = RouteTable(routes)
        for index in 0..<1000 {
            let name = Array((index % 2 == 0 ? "n\(index).x" : "a.n\(index).x").utf8)
            #expect(table.match(name: name.span, protocols: [UInt8]().span)?.route == index)
        }
        #expect(table.match(name: Array("n1001.x".utf8).span, protocols: [UInt8]().span) == nil)
    }

    @Test(
        "a name is brought into one form, or is not valid",
        arguments: [
            ("Shop.Example.COM", "shop.example.com"), ("a.", "a"), ("xn--bcher-kva.example", nil),
            ("1.example", nil), ("a-b.c", nil), ("1.2.3.4", ""), ("12345", ""), ("::1", ""),
            ("a..b", ""), (".a", ""), ("", ""), (".", ""), ("a_b", ""), ("a b", ""),
            ("a..", ""),
        ] as [(String, String?)]
    )
    func normalizes(name: String, result: String?) {
        var bytes = Array(name.utf8)
        let isValid = ServerName.normalize(&bytes)
        #expect(isValid == (result != ""))
        if isValid { #expect(String(decoding: bytes, as: UTF8.self) == result ?? name) }
    }

    @Test("the lengths of names and labels are limited")
    func limitsLengths() {
        let label = String(repeating: "a", count: 63)
        func isValid(_ name: String) -> Bool {
            var bytes = Array(name.utf8)
            return ServerName.normalize(&bytes)
        }
        #expect(isValid("\(label).x"))
        #expect(!isValid("a\(label).x"))
        #expect(isValid("\(label).\(label).\(label).\(label.dropLast(2))."))
        #expect(!isValid("\(label).\(label).\(label).\(label.dropLast(1))"))
    }
}
