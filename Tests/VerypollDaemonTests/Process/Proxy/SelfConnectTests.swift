internal import Glibc
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@testable import StrictJSON
@testable import VerypollConfiguration
@testable import VerypollDaemon
@testable import VerypollServer

/// Runs in a network where the kernel has a single ephemeral port, that of the server, which is
/// down.
///
/// Every connection to the server connects to itself there.
@Suite("Proxy: self-connects")
struct SelfConnectTests {
    private static let port = 40_000
    private static let launcher = [
        "unshare", "--map-root-user", "--net", "sh", "-c",
        """
        ip link set lo up &&
        echo \(port) \(port) > /proc/sys/net/ipv4/ip_local_port_range && exec "$0" "$@"
        """,
    ]

    private func daemon(_ upstream: String) throws -> TestDaemon {
        try TestDaemon(
            #""proxy": {"listen": ["unix:DIR/l"], "handler": {"type": "proxy", "upstream": "app"}}"#,
            more: #""upstreams": {"app": {"servers": ["127.0.0.1:\#(Self.port)"]\#(upstream)}},"#,
            launcher: Self.launcher
        )
    }

    @Test("a session whose server connection would connect to itself is refused")
    func refusesSession() throws {
        let daemon = try daemon("")
        let client = try daemon.connect(to: "proxy")
        let reception = client.receiveAll()
        #expect(reception.bytes == [])
        try daemon.waitForNoSession()
        let server = try #require(try daemon.status().upstreams.first?.servers.first)
        #expect(server.sessions == 0 && server.failures == 1)
    }

    @Test("a check that would connect to itself fails")
    func failsCheck() throws {
        let check = #", "check": {"interval": "50ms", "timeout": "10s", "rise": 1, "fall": 1}"#
        let daemon = try daemon(check)
        try daemon.program.waitForStandardError(containing: "is down: Connection refused")
        let server = try #require(try daemon.status().upstreams.first?.servers.first)
        #expect(server.state == .down)
    }

    @Test(
        "the ephemeral port range is parsed as the kernel writes it",
        arguments: [
            ("32768\t60999\n", 32_768...60_999), ("40000\t40000\n", 40_000...40_000),
        ]
    )
    func readsRange(text: String, range: ClosedRange<UInt16>) {
        #expect(EphemeralPorts.range(in: text) == range)
        #expect(EphemeralPorts.range(in: "") == nil)
        #expect(EphemeralPorts.range(in: "2 1") == nil)
    }
}
