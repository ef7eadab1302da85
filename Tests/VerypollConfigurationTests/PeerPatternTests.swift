import Testing
import Verypoll

@testable import VerypollConfiguration

@Suite("PeerPattern")
struct PeerPatternTests {
    @Test(
        "a client is selected by address, by address and port, or by network",
        arguments: [
            ("127.0.0.1", true), ("127.0.0.1:4711", true), ("127.0.0.0/8", true),
            ("127.0.0.1:4712", false), ("127.0.0.2", false), ("10.0.0.0/8", false),
            ("::ffff:127.0.0.1", true), ("[::ffff:127.0.0.1]:4711", true), ("::1", false),
            ("0.0.0.0/0", true), ("::/0", false), ("unix:pid=1,uid=0", false),
        ]
    )
    func matches(text: String, isMatch: Bool) throws {
        let pattern = try PeerPattern(text)
        let peer = SocketAddress(.loopback(.v4), port: 4711)
        #expect(pattern.matches(peer) == isMatch)
        let mapped = try #require(SocketAddress("[::ffff:127.0.0.1]:4711"))
        #expect(pattern.matches(mapped) == isMatch)
    }

    @Test(
        "IPv6 addresses may be in brackets, and the zone is optional",
        arguments: [
            "fe80::1", "[fe80::1]", "[fe80::1]:80", "[fe80::1%2]:80", "fe80::/10",
        ]
    )
    func matchesV6(text: String) throws {
        let peer = try #require(SocketAddress("[fe80::1%2]:80"))
        #expect(try PeerPattern(text).matches(peer))
        #expect(try !PeerPattern("[fe80::1%3]:80").matches(peer))
    }

    @Test(
        "a vsock client is selected by its CID, with or without its port",
        arguments: [
            ("vsock:3", true), ("vsock:3:4711", true), ("vsock:3:4712", false), ("vsock:4", false),
            ("0.0.0.0/0", false), ("unix:pid=1,uid=0", false),
        ]
    )
    func matchesVsock(text: String, isMatch: Bool) throws {
        let pattern = try PeerPattern(text)
        #expect(pattern.matches(VsockAddress(cid: 3, port: 4711)) == isMatch)
        if text.hasPrefix("vsock:") {
            #expect(!pattern.matches(SocketAddress(.loopback(.v4), port: 4711)))
        }
    }

    @Test(
        "text that is no client is refused with an example",
        arguments: [
            "nonsense", "", "10.0.0", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.1:70000", "web",
            "vsock:", "vsock:*", "vsock::80", "vsock:a", "vsock:3:", "vsock:3:4:5",
        ]
    )
    func refuses(text: String) {
        let error = #expect(throws: InvalidValue.self) { try PeerPattern(text) }
        #expect(error?.reason.contains("write") == true)
    }
}
