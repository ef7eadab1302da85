internal import Testing

@testable internal import VerypollConfiguration

@Suite("UpstreamAddress")
struct UpstreamAddressTests {
    @Test(
        "server addresses print as they were written",
        arguments: [
            "10.0.0.1:80", "[::1]:80", "app.internal:80", "a_b.:1", "unix:/a", "unix:@a",
            "vsock:3:80", "vsock:4294967294:4294967294",
        ]
    )
    func servers(text: String) throws {
        #expect(try UpstreamAddress(text).description == text)
    }

    @Test(
        "invalid server addresses are rejected",
        arguments: [
            "systemd:web", "10.0.0.1:0", "10.0.0.256:80", "-a:80", "a..b:80", "a b:80", "é:80",
            ":80",
            "a:80:90", "tcp://a:80", "vsock:80", "vsock::80", "vsock:*:80", "vsock:3:0",
            "vsock:3:4294967295", "vsock:a:80",
        ]
    )
    func refusedServers(text: String) {
        #expect(throws: InvalidValue.self) { try UpstreamAddress(text) }
    }

    @Test(
        "invalid server addresses are rejected with a valid suggestion",
        arguments: [
            ("8080", "127.0.0.1:8080"), (":80", "127.0.0.1:80"), ("*:80", "127.0.0.1:80"),
            ("", "127.0.0.1:80"), ("app", "app:80"), ("/run/a", "unix:/run/a"),
            ("http://app/x", "app:80"), ("https://app", "app:443"),
            ("redis://:pw@app:6379/0", "app:6379"), ("unix://run/a", "unix:/run/a"),
            ("http://app:81", "app:81"), ("::1", "[::1]:80"),
            ("::1:81", "[::1]:81"), ("[::1]81", "[::1]:81"),
        ]
    )
    func suggestsServer(text: String, better: String) throws {
        let said = reason { () throws(InvalidValue) in _ = try UpstreamAddress(text) }
        #expect(said.contains("\"\(better)\""), "\(said)")
        #expect(try UpstreamAddress(better).description == better)
    }
}
