internal import TestSupport

/// A dnsmasq at a loopback address of its own, with the SRV records of `_app._tcp.example`.
struct NameServer: ~Copyable {
    /// An SRV record of a server on this machine.
    struct Record {
        var server: LineServer
        var priority = 0
        var weight = 1
    }

    let address: String
    private let directory: TemporaryDirectory
    private var program: Program?

    /// Chooses an address; ``serve(_:)`` starts the server.
    ///
    /// Name servers can only be configured with port 53, so each test has an address of its own.
    init() throws {
        try requireProgram("dnsmasq")
        let numbers = [UInt8.random(in: 64...126)] + (0..<2).map { _ in .random(in: 1...254) }
        let address = "127." + numbers.map { "\($0)" }.joined(separator: ".")
        let directory = try TemporaryDirectory()
        let settings = "nameserver \(address)\noptions timeout:1 attempts:1\n"
        _ = try directory.write(settings, to: "resolv.conf")
        self.address = address
        self.directory = directory
    }

    /// Words that start a program for which this is the only name server.
    var launcher: [String] {
        let script = #"mount --bind "$0" /etc/resolv.conf && exec "$@""#
        return ["unshare", "--mount", "sh", "-c", script, directory.appending("resolv.conf")]
    }

    /// Stops answering.
    mutating func stop() { program = nil }

    /// Serves these records instead of the former ones.
    mutating func serve(_ records: [Record]) throws {
        let hosts = records.enumerated().flatMap { index, record in
            let host = "host\(index).example"
            let words = "\(record.server.port),\(record.priority),\(record.weight)"
            let address = record.server.address.split(separator: ":")[0]
            return [
                "--srv-host=_app._tcp.example,\(host),\(words)",
                "--host-record=\(host),\(address)",
            ]
        }
        try serve(hosts)
    }

    /// Serves the target `.`, which says that the service is not offered.
    mutating func refuse() throws { try serve(["--srv-host=_app._tcp.example"]) }

    private mutating func serve(_ words: [String]) throws {
        program = nil
        let fixed = [
            "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
            "--pid-file=", "--user=root", "--log-facility=-", "--listen-address=\(address)",
            "--bind-interfaces", "--port=53", "--local-ttl=1", "--local=/example/",
        ]
        let program = try Program("dnsmasq", fixed + words)
        try program.waitForStandardError(containing: "started")
        self.program = consume program
    }
}
