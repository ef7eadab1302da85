internal import Testing

@testable internal import StrictJSON
@testable internal import VerypollConfiguration

@Suite("Health checks in the configuration")
struct HealthCheckTests {
    private typealias HealthCheck = UpstreamConfiguration.HealthCheck

    private func text(_ keys: String, servers: String = "\"a:1\"") -> String {
        upstream("\"servers\": [\(servers)], \"check\": {\(keys)}")
    }

    private func check(_ keys: String) throws -> HealthCheck {
        let check = try configuration(text(keys)).upstreams[0].check
        return try #require(check)
    }

    @Test(
        "the kind of a check is its type, or follows from the other keys",
        arguments: [
            ("", .connect), (#""type": "connect""#, .connect), (#""send": "x""#, .exchange),
            (#""expect": "x""#, .exchange), (#""type": "redis""#, .redis),
            (#""type": "http""#, .http), (#""http": {}"#, .http),
            (#""type": "postgresql""#, .postgresql),
            (#""postgresql": {"database": "shop"}"#, .postgresql),
        ] as [(String, HealthCheck.Kind)]
    )
    private func hasKind(keys: String, kind: HealthCheck.Kind) throws {
        #expect(try check(keys).kind == kind)
    }

    @Test("the keys of a ready-made check have defaults")
    func fillsIn() throws {
        guard case .http(let http)? = try check(#""type": "http""#).service,
            case .postgresql(let names)? = try check(#""type": "postgresql""#).service
        else { throw Missing() }
        #expect(http.path == "/" && http.host == nil && http.method == .get)
        #expect(http.status == .success)
        #expect(names.user == "postgres" && names.database == nil)
    }

    @Test("bytes are written as text, or in hexadecimal")
    func readsBytes() throws {
        let check = try check(#""send": "hex:0d0A ff", "expect": "0d0a""#)
        #expect(check.send.bytes == [13, 10, 255])
        #expect(check.expect.bytes == Array("0d0a".utf8))
    }

    @Test(
        "status codes are single ones and ranges",
        arguments: [
            ("200", [200], [199, 201]), ("200-299, 304", [200, 299, 304], [300, 303, 305]),
            ("101,500-599", [101, 500, 599], [100, 499]),
        ]
    )
    func readsStatus(text: String, ok: [Int], others: [Int]) throws {
        let codes = try StatusCodes(text)
        #expect(ok.filter { !codes.contains($0) } == [])
        #expect(others.filter { codes.contains($0) } == [])
        #expect(try StatusCodes(codes.description) == codes)
    }

    @Test("values that are not valid are reported with a remedy")
    func rejectsValues() {
        let place = "/upstreams/app/check"
        #expect(
            complaints(about: text(#""send": "hex:0d0", "expect": "hex:xx""#)) == [
                "\(place)/send: \"hex:0d0\" is not valid hexadecimal; write two digits for each"
                    + " byte, as in \"hex:0d0a\"",
                "\(place)/expect: \"hex:xx\" is not valid hexadecimal; write two digits for each"
                    + " byte, as in \"hex:0d0a\"",
            ]
        )
        for status in ["", "20", "200-", "300-200", "200,", "99", "600", "2x0", "200-300-400"] {
            #expect(
                complaints(about: text("\"http\": {\"status\": \"\(status)\"}")) == [
                    "\(place)/http/status: \"\(status)\" is not a valid list of status codes;"
                        + " write codes from 100 to 599 and ranges of them, such as"
                        + " \"200-299,304\""
                ]
            )
        }
        for path in ["health", "/a b", "/ä", ""] {
            let found = complaints(about: text("\"http\": {\"path\": \"\(path)\"}"))
            #expect(found.count == 1 && found[0].hasPrefix("\(place)/http/path: \"\(path)\" is"))
        }
        for host in ["", "a b", "http://a"] {
            let found = complaints(about: text("\"http\": {\"host\": \"\(host)\"}"))
            #expect(found.count == 1 && found[0].hasPrefix("\(place)/http/host: \"\(host)\" is"))
        }
        let long = text("\"expect\": \"\(String(repeating: "x", count: 65_537))\"")
        #expect(complaints(about: long).count == 1)
    }

    @Test("keys that contradict each other are reported")
    func rejectsCombinations() {
        let place = "/upstreams/app/check"
        #expect(
            complaints(about: text(#""type": "redis", "send": "x", "http": {}"#)) == [
                "\(place)/send: a check of type \"redis\" has an exchange of its own; remove this"
                    + " key, or the type",
                "\(place)/http: is for checks of type \"http\", not \"redis\"; remove it, or"
                    + " change the type",
            ]
        )
        #expect(complaints(about: text(#""http": {}, "postgresql": {}"#)).count == 1)
        #expect(complaints(about: text(#""http": {"path": "*", "method": "OPTIONS"}"#)) == [])
        #expect(complaints(about: text(#""http": {"path": "*"}"#)).count == 1)
        #expect(
            complaints(about: text(#""port": 81"#, servers: #""a:1", "unix:/a""#)) == [
                "\(place)/port: unix:/a is a Unix-domain socket, which has no port; remove this"
                    + " key, or move the server to another upstream"
            ]
        )
    }

    @Test(
        "the effective configuration of a check parses back to the same check",
        arguments: [
            "", #""type": "connect", "port": 81"#, #""send": "hex:00", "expect": "x""#,
            #""type": "redis""#, #""http": {"path": "/h", "host": "a", "method": "HEAD"}"#,
            #""http": {"status": "200, 204-205"}"#, #""type": "postgresql""#,
            #""postgresql": {"user": "me", "database": "shop"}"#,
        ]
    )
    func parsesBack(keys: String) throws {
        let original = try configuration(text(keys))
        let again = try configuration(JSONValue.object(original.effective).text)
        #expect(again.upstreams[0].check == original.upstreams[0].check)
        #expect(original.changes(to: again) == [])
    }

    private struct Missing: Error {}
}
