import Glibc
import TestSupport
import Verypoll

@testable import VerypollServer

/// A name server: a child process with a directory of its own, on a port of 127.0.0.1.
struct NameServerProgram: ~Copyable {
    /// The programs that the tests know.
    enum Kind: String, CaseIterable, Sendable {
        case dnsmasq
        case knot
        case bind
    }

    private let program: Program
    let directory: TemporaryDirectory
    let address: SocketAddress

    /// Starts a name server with the zone `example.test`, and waits until it answers.
    ///
    /// - Parameters:
    ///   - kind: The program.
    ///   - zone: The records of the zone.
    ///   - options: Further lines of the section `options` of BIND.
    /// - Throws: ``MissingProgram``, or ``TimedOut`` with the output of the program.
    init(_ kind: Kind, _ zone: ZoneText, options: String = "") throws {
        let directory = try TemporaryDirectory()
        let port = try reservedPort()
        let program = try Self.start(kind, zone, directory, port, options: options)
        let address = SocketAddress.loopback(port: port)
        try Self.waitForAnswer(program, address)
        self.address = address
        self.program = program
        self.directory = directory
    }

    private static func waitForAnswer(
        _ program: borrowing Program,
        _ address: SocketAddress
    ) throws {
        do {
            try eventually("a name server to answer") {
                if try program.exit != nil {
                    throw TimedOut(waitingFor: "a name server that has exited")
                }
                let answer = ServiceLookup.answer(for: ZoneText.sign, servers: [address])
                return (try? answer.get()) != nil
            }
        } catch let error as TimedOut {
            let said = "\(try program.standardOutput)\n\(try program.standardError)"
            throw TimedOut(waitingFor: "\(error)", detail: said)
        }
    }

    /// Replaces the zone of BIND, and tells it to read the file.
    func replace(_ zone: ZoneText) throws {
        _ = try directory.write(zone.master, to: "zone")
        try program.send(SIGHUP)
    }

    func ask(_ name: String) -> Result<ServiceAnswer, NameLookupFailure> {
        ServiceLookup.answer(for: name, servers: [address])
    }

    private static func start(
        _ kind: Kind,
        _ zone: ZoneText,
        _ directory: borrowing TemporaryDirectory,
        _ port: UInt16,
        options: String
    ) throws -> Program {
        switch kind {
        case .dnsmasq: try startDNSMasq(zone, directory, port)
        case .knot: try startKnot(zone, directory, port)
        case .bind: try startBIND(zone, directory, port, options: options)
        }
    }

    private static func startDNSMasq(
        _ zone: ZoneText,
        _ directory: borrowing TemporaryDirectory,
        _ port: UInt16
    ) throws -> Program {
        try requireProgram("/usr/sbin/dnsmasq")
        let text = """
            port=\(port)
            listen-address=127.0.0.1
            bind-interfaces
            no-resolv
            no-hosts
            local=/example.test/
            local-ttl=60
            pid-file
            \(zone.dnsmasq)

            """
        let file = try directory.write(text, to: "dnsmasq.conf")
        // In its debug mode it neither forks nor changes its user.
        return try Program("/usr/sbin/dnsmasq", ["--no-daemon", "--conf-file=\(file)"])
    }

    private static func startKnot(
        _ zone: ZoneText,
        _ directory: borrowing TemporaryDirectory,
        _ port: UInt16
    ) throws -> Program {
        try requireProgram("/usr/sbin/knotd")
        let text = """
            server:
                rundir: "\(directory.path)"
                listen: 127.0.0.1@\(port)
                udp-workers: 1
                tcp-workers: 1
                background-workers: 1
            log:
              - target: stderr
                any: info
            database:
                storage: "\(directory.path)"
            zone:
              - domain: example.test
                storage: "\(directory.path)"
                file: zone
                journal-content: none

            """
        _ = try directory.write(zone.master, to: "zone")
        let file = try directory.write(text, to: "knot.conf")
        return try Program("/usr/sbin/knotd", ["-c", file])
    }

    private static func startBIND(
        _ zone: ZoneText,
        _ directory: borrowing TemporaryDirectory,
        _ port: UInt16,
        options: String
    ) throws -> Program {
        try requireProgram("/usr/sbin/named")
        let text = """
            options {
                directory "\(directory.path)";
                listen-on port \(port) { 127.0.0.1; };
                listen-on-v6 { none; };
                pid-file none;
                session-keyfile none;
                recursion no;
                dnssec-validation no;
                notify no;
                \(options)
            };
            controls {};
            zone "example.test" { type primary; file "zone"; };
            zone "broken.test" { type primary; file "broken"; };

            """
        _ = try directory.write(zone.master, to: "zone")
        _ = try directory.write("this is not a zone\n", to: "broken")
        let file = try directory.write(text, to: "named.conf")
        return try Program("/usr/sbin/named", ["-g", "-n", "1", "-c", file])
    }
}

/// The records of the zone `example.test`, for several programs.
struct ZoneText {
    /// The service whose answer shows that the zone is loaded.
    static let sign = "_ready._tcp.example.test"

    private var lines: [String]
    private var settings: [String]

    /// Makes a zone with one service only, ``sign``.
    init(serial: Int = 1) {
        lines = [
            "$ORIGIN example.test.", "$TTL 60",
            "@ IN SOA ns hostmaster \(serial) 3600 600 86400 30", "@ IN NS ns",
            "ns IN A 192.0.2.53",
        ]
        settings = []
        add("_ready._tcp", priority: 0, weight: 0, port: 1, target: "ns")
        settings.append("host-record=ns.example.test,192.0.2.53")
    }

    /// The zone in the form of RFC 1035, section 5.
    var master: String { lines.joined(separator: "\n") + "\n" }

    /// The zone as settings of dnsmasq.
    var dnsmasq: String { settings.joined(separator: "\n") }

    /// Adds an SRV record.
    mutating func add(
        _ service: String,
        priority: Int,
        weight: Int,
        port: Int,
        target: String,
        timeToLive: Int = 60
    ) {
        let fields = "\(priority) \(weight) \(port)"
        let full = target == "." ? "." : "\(target).example.test."
        lines.append("\(service) \(timeToLive) IN SRV \(fields) \(full)")
        let host = full == "." ? "" : "\(full.dropLast()),\(port),\(priority),\(weight)"
        settings.append("srv-host=\(service).example.test,\(host)")
    }

    /// Adds a host with its addresses.
    mutating func add(host: String, _ addresses: String...) {
        for address in addresses {
            lines.append("\(host) IN \(address.contains(":") ? "AAAA" : "A") \(address)")
        }
        settings.append("host-record=\(host).example.test,\(addresses.joined(separator: ","))")
    }

    /// Adds another name of a host or service.
    mutating func add(alias: String, of name: String) {
        lines.append("\(alias) IN CNAME \(name)")
        settings.append("cname=\(alias).example.test,\(name).example.test")
    }
}
