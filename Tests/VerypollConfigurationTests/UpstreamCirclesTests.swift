internal import Testing

@testable internal import StrictJSON
@testable internal import VerypollConfiguration

@Suite("UpstreamCircles")
struct UpstreamCircleTests {
    /// Returns a configuration with one listener per pair, on the first address, whose upstream has
    /// the second address as its only server.
    private func text(_ pairs: [(listen: String, server: String)]) -> String {
        let listeners = pairs.indices.map { index in
            """
            "l\(index)": {"listen": ["\(pairs[index].listen)"],
            "handler": {"type": "proxy", "upstream": "u\(index)"}}
            """
        }
        let upstreams = pairs.indices.map { index in
            #""u\#(index)": {"servers": ["\#(pairs[index].server)"]}"#
        }
        return """
            {"listeners": {\(listeners.joined(separator: ",\n"))},
            "upstreams": {\(upstreams.joined(separator: ",\n"))}}
            """
    }

    @Test(
        "a server that is certainly its own upstream's listener is rejected",
        arguments: [
            ("127.0.0.1:8000", "127.0.0.1:8000"), ("0.0.0.0:8000", "127.0.0.2:8000"),
            ("127.0.0.1:8000", "0.0.0.0:8000"), ("[::]:8000", "[::1]:8000"),
            ("[::]:8000", "127.0.0.1:8000"), ("127.0.0.1:8000", "[::ffff:127.0.0.1]:8000"),
            ("unix:/run/a/b", "unix:/run/a/../a/b"), ("unix:@abstract", "unix:@abstract"),
            ("10.1.2.3:80", "10.1.2.3:80"), ("vsock:3:80", "vsock:3:80"),
            ("vsock:*:80", "vsock:1:80"),
        ]
    )
    func refusesItself(listen: String, server: String) throws {
        let complaints = complaints(about: text([(listen, server)]))
        #expect(complaints.count == 1)
        let complaint = try #require(complaints.first)
        #expect(
            complaint.hasPrefix("/upstreams/u0/servers: ")
                && complaint.hasSuffix(
                    """
                     is the daemon's own listener "l0", which leads back to this upstream; use \
                    another server
                    """
                ),
            "\(complaint)"
        )
    }

    @Test(
        "a server that may be another program is not rejected",
        arguments: [
            ("127.0.0.1:8000", "127.0.0.1:8001"), ("127.0.0.1:8000", "127.0.0.2:8000"),
            ("0.0.0.0:8000", "[::1]:8000"), ("0.0.0.0:8000", "10.1.2.3:8000"),
            ("127.0.0.1:8000", "localhost:8000"), ("unix:/run/a", "unix:/run/b"),
            ("unix:/run/a", "unix:@/run/a"), ("[::1]:8000", "127.0.0.1:8000"),
            ("vsock:*:80", "vsock:2:80"), ("vsock:1:80", "vsock:1:81"),
        ]
    )
    func admitsOthers(listen: String, server: String) {
        #expect(complaints(about: text([(listen, server)])) == [])
    }

    @Test("a chain of listeners is rejected only if its last server is the first listener")
    func tellsChainsFromCircles() {
        let chain = [
            ("127.0.0.1:1", "127.0.0.1:2"), ("127.0.0.1:2", "127.0.0.1:3"),
            ("127.0.0.1:3", "127.0.0.1:4"),
        ]
        #expect(complaints(about: text(chain)) == [])
        let into = ("127.0.0.1:9", "127.0.0.1:1")
        let circle = chain + [("127.0.0.1:4", "127.0.0.1:1"), into]
        let found = complaints(about: text(circle)).map { $0.prefix(13) }
        #expect(found == ["/upstreams/u0", "/upstreams/u1", "/upstreams/u2", "/upstreams/u3"])
    }

    @Test("an IPv6-only listener does not receive connections to IPv4 addresses")
    func mindsOnlyV6() {
        let text = text([("[::]:8000", "127.0.0.1:8000")]).replacing(
            #""handler""#,
            with: #""socket": {"onlyV6": true}, "handler""#
        )
        #expect(complaints(about: text) == [])
    }
}
