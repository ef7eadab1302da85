import Testing
import Verypoll

@testable import StrictJSON
@testable import VerypollConfiguration

@Suite("hashKey of an upstream")
struct HashKeyTests {
    /// A configuration with the listener `front`, and the listener `raw` without inspection.
    private func text(
        _ upstream: String,
        handler: String = #""inspect": "tls", "upstream": "app""#,
        raw: String = "other"
    ) -> String {
        """
        {"listeners": {
        "front": {"listen": ["127.0.0.1:1"], "handler": {"type": "proxy", \(handler)}},
        "raw": {"listen": ["127.0.0.1:2"], "handler": {"type": "proxy", "upstream": "\(raw)"}}},
        "upstreams": {"app": {"servers": ["127.0.0.1:3"], \(upstream)},
        "other": {"servers": ["127.0.0.1:4"], "balance": "sourceHash"}}}
        """
    }

    private func upstream(_ text: String) throws -> UpstreamConfiguration {
        try #require(configuration(text).upstreams.first { $0.name == "app" })
    }

    @Test("the key is the source by default", arguments: UpstreamConfiguration.HashKey.allCases)
    func isRead(key: UpstreamConfiguration.HashKey) throws {
        let some = try upstream(text(#""balance": "sourceHash", "hashKey": "\#(key)""#))
        #expect(some.hashKey == key)
        #expect(try upstream(text(#""balance": "sourceHash""#)).hashKey == .source)
        #expect(try upstream(text(#""balance": "random""#)).hashKey == .source)
    }

    @Test("a key for another balance is a problem, and the effective configuration has none")
    func needsBalance() throws {
        #expect(
            problems(in: text(#""balance": "random", "hashKey": "source""#)).first?
                .hasSuffix(
                    "/upstreams/app/hashKey: has no effect with the balance \"random\"; write"
                        + " \"balance\": \"sourceHash\", or remove the key"
                ) == true
        )
        let effective = try configuration(text(#""balance": "random""#)).effective["upstreams"]
        #expect(effective?["app"]?["hashKey"] == nil)
        #expect(effective?["other"]?["hashKey"] == .string("source"))
    }

    @Test("a listener without inspection cannot use an upstream that chooses by server name")
    func needsInspection() {
        let byName = #""balance": "sourceHash", "hashKey": "serverName""#
        #expect(problems(in: text(byName)).isEmpty)
        #expect(
            complaints(about: text(byName, raw: "app")) == [
                "/upstreams/app/hashKey: \"serverName\" requires listeners that inspect TLS, but"
                    + " the listener \"raw\" proxies to this upstream without inspection; add"
                    + " \"inspect\": \"tls\" to its handler, or use another hashKey or upstream"
            ]
        )
        // Clients of this listener that send no name are chosen for by their source.
        let postgreSQL = #""inspect": "postgresql", "upstream": "app", "notTLS": "app""#
        #expect(problems(in: text(byName, handler: postgreSQL)).isEmpty)
    }

    @Test("a key of an operator is an address without a port, or a server name")
    func readsKeys() throws {
        #expect(try HashedKey("::ffff:192.0.2.7") == .address(IPAddress(v4: 0xC000_0207)))
        #expect(try HashedKey("2001:DB8::1").description == "2001:db8::1")
        #expect(try HashedKey("Shop.Example.com.") == .serverName("shop.example.com"))
        for text in ["", "192.0.2.7:80", "[::1]", "a b", "*.example.com", "10.0.0.0/8", "1.2.3"] {
            #expect(throws: InvalidValue.self) { try HashedKey(text) }
        }
        #expect(
            reason { () throws(InvalidValue) in _ = try HashedKey("[::1]:80") }
                == "\"[::1]:80\" is neither an IP address without a port nor the name of a server;"
                + " write a key such as \"192.0.2.7\" or \"shop.example.com\""
        )
    }
}
