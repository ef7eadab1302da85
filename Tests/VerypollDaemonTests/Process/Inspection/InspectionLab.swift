internal import Foundation
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

/// A daemon that routes by what TLS clients ask for, and the servers behind it.
struct InspectionLab: ~Copyable {
    var daemon: TestDaemon
    let shop: Server
    let wild: Server
    let fallback: Server
    let plain: Server

    /// The routes of the listener `front`.
    static let routes = #"""
        "routes": {
        "shop": {"serverNames": ["shop.example.com"], "upstream": "shop"},
        "wild": {"serverNames": ["*.shop.example.com"], "upstream": "wild"},
        "acme": {"alpn": ["acme-tls/1"], "upstream": "wild"}}
        """#

    /// Starts the daemon.
    ///
    /// - Parameters:
    ///   - inspection: The value of `inspect`.
    ///   - others: Further members of the handler, each followed by a comma.
    ///   - upstream: Further members of the upstream `shop`, each preceded by a comma.
    ///   - keys: Further members of the listener, each preceded by a comma.
    ///   - more: Further members of the configuration, each followed by a comma.
    ///   - manager: The manager that keeps the descriptors that the daemon stores.
    /// - Throws: The reason why the daemon does not start.
    init(
        _ inspection: String = "tls",
        others: String = "",
        upstream: String = "",
        keys: String = "",
        more: String = "",
        manager: ServiceManager? = nil
    ) throws {
        let shop = try Server()
        let wild = try Server()
        let fallback = try Server()
        let plain = try Server()
        let servers = [
            ("shop", shop.port, upstream), ("wild", wild.port, ""), ("fallback", fallback.port, ""),
            ("plain", plain.port, ""),
        ]
        let upstreams = servers.map { name, port, keys in
            #""\#(name)": {"servers": ["127.0.0.1:\#(port)"]\#(keys)}"#
        }
        daemon = try TestDaemon(
            Self.listener(inspection, others: others, keys: keys),
            more: #"\#(more) "upstreams": {\#(upstreams.joined(separator: ", "))},"#,
            manager: manager
        )
        self.shop = shop
        self.wild = wild
        self.fallback = fallback
        self.plain = plain
    }

    /// Returns the member of `listeners`.
    static func listener(_ inspection: String, others: String = "", keys: String = "") -> String {
        """
        "front": {"listen": ["127.0.0.1:0"]\(keys), "handler": {"type": "proxy",
        "inspect": "\(inspection)", \(others) \(routes)}}
        """
    }

    /// Connects to the daemon.
    func connect() throws -> Client { try daemon.connect(to: "front") }

    /// Returns the number of inspections with a result.
    func count(of outcome: String) throws -> Int {
        let name = "verypolld_listener_inspections_total"
        return try metric(#"\#(name){listener="front",outcome="\#(outcome)"}"#)
    }

    /// Returns the value of a metric.
    func metric(_ name: String) throws -> Int {
        var peer = try ControlPeer(path: daemon.controlPath)
        let text: MetricsText = try peer.result("io.verypoll.Daemon.GetMetrics")
        let line = text.text.split(separator: "\n").first { $0.hasPrefix(name + " ") }
        return try #require(line.flatMap { Int($0.dropFirst(name.count + 1)) })
    }

    /// Waits until a result was counted once.
    func waitForOutcome(_ outcome: String) throws {
        try eventually("\(outcome) to be counted") { try count(of: outcome) == 1 }
    }
}

/// The bytes of a real client's ClientHello.
func capturedHello(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(filePath: "\(Repository.path)/Tests/Hellos/\(name).bin")))
}
