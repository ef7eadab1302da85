internal import FoundationEssentials
internal import Glibc
internal import StrictJSON
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("Metrics socket")
struct MetricsSocketTests: ~Copyable {
    private let directory: TemporaryDirectory
    private let path: String
    private let server: Server

    init() throws {
        let directory = try TemporaryDirectory()
        let path = directory.appending("io.verypoll.Daemon")
        let server = try Server(path: path)
        self.path = path
        self.server = server
        self.directory = directory
    }

    private var passed: PassedSocket {
        PassedSocket(name: "varlink-metrics", descriptor: server.descriptor)
    }

    /// The output of `metrics_report.py`.
    private struct Report: Decodable {
        var metrics: [ReportedMetric]
        var families: [ReportedFamily]

        func value(_ name: String, of object: String? = nil) -> JSONValue? {
            let full = MetricsInterface.prefix + name
            return metrics.first { $0.name == full && $0.object == object }?.value
        }
    }

    /// Collects the metrics with a foreign client.
    private func report(from path: String, interfaces: [String]) throws -> Report {
        let words = [Repository.path(ofProgram: "metrics_report.py"), path] + interfaces
        let result = try Program.run("/usr/bin/env", ["python3"] + words)
        guard result.exit == .code(0) else { throw Failure(text: result.standardError) }
        return try JSONDecoder().decode(Report.self, from: Data(result.standardOutput.utf8))
    }

    private struct Failure: Error {
        let text: String
    }

    @Test("a foreign client collects the metrics over it, and gets no other interface")
    func serves() throws {
        let daemon = try TestDaemon(serving("echo", ", \"maxSessions\": 7"), sockets: [passed])
        let client = try daemon.connect()
        try expectEcho(from: client)
        let report = try report(from: path, interfaces: [MetricsInterface.name])
        #expect(report.value("ListenerAcceptedTotal", of: "echo") == 1)
        #expect(report.value("ListenerMaxSessions", of: "echo") == 7)
        #expect(report.value("ActiveSessions") == 1)
        #expect(report.value("BuildVersion") == JSONValue.string(Release.version))
        #expect(report.value("WorkerActiveSessions", of: "0") != nil)
        #expect(report.families.count > 50)
        let output = try daemon.program.standardError
        #expect(output.contains("using the metrics socket passed by systemd"))
        #expect(try daemon.status().state == .running)
    }

    @Test("the control socket offers the same metrics, even if systemd passes no socket")
    func servesOnControlSocket() throws {
        let daemon = try TestDaemon(serving("echo"))
        let report = try report(
            from: daemon.controlPath,
            interfaces: [DaemonInterface.name, SystemdInterface.name, MetricsInterface.name]
        )
        #expect(report.value("ListenerAcceptedTotal", of: "echo") == 0)
        #expect(try !daemon.program.standardError.contains("metrics socket"))
    }

    @Test("clients that occupy it do not keep operators from the control socket")
    func isSeparate() throws {
        let daemon = try TestDaemon(serving("echo"), sockets: [passed])
        let idle = try (0..<100).map { _ in Held(try Client(path: path)) }
        #expect(try daemon.status().state == .running)
        // The clients beyond the limit have replaced those that were idle longest.
        let report = try report(from: path, interfaces: [MetricsInterface.name])
        #expect(report.value("ActiveSessions") == 0)
        #expect(idle.count == 100)
    }

    @Test("a call that arrives before the daemon is answered, also after a restart")
    func survivesRestart() throws {
        var peer = try ControlPeer(path: path)
        let list = ControlPeer.message("io.systemd.Metrics.List", flags: #", "more": true"#)
        try peer.client.send(list)
        var daemon = try TestDaemon(serving("echo"), sockets: [passed])
        let first = try peer.reply(ReportedMetric.self)
        #expect(first.parameters?.name == "io.verypoll.Daemon.BuildVersion")
        try daemon.restart()
        var other = try ControlPeer(path: path)
        try other.client.send(list)
        #expect(try other.reply(ReportedMetric.self).parameters == first.parameters)
    }

    @Test("a socket of another type, and two sockets, are rejected with a reason")
    func refuses() throws {
        let text = """
            {"control": {"socket": "\(directory.path)/own"}, "listeners": {\(serving("echo"))}}
            """
        let file = try directory.write(text, to: "verypolld.json")
        func refusal(_ descriptors: FileDescriptor...) throws -> String {
            let program = try Program(
                "verypolld",
                ["--config", file],
                sockets: descriptors.map { PassedSocket(name: "varlink-metrics", descriptor: $0) }
            )
            #expect(try program.waitForExit() == .code(71))
            return try program.standardError
        }
        let tcp = try Server()
        let sentence = "socket named varlink-metrics is not a listening Unix stream socket"
        #expect(try refusal(tcp.descriptor).contains(sentence))
        let other = try Server(path: directory.appending("other"))
        let two = try refusal(server.descriptor, other.descriptor)
        #expect(two.contains("systemd passed 2 sockets named varlink-metrics"))
    }
}
