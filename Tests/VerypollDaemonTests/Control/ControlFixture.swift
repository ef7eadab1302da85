import DaemonTestSupport
import SystemPackage
import TestSupport
import Testing
import Varlink
import Verypoll
import VerypollControl

@testable import StrictJSON
@testable import VerypollConfiguration
@testable import VerypollDaemon
@testable import VerypollServer

/// A control server on its own socket, which works only when a test runs it.
struct ControlFixture: ~Copyable {
    let path: String
    let handler: ScriptedHandler
    let log: RecordingLog
    var server: ControlServer
    private var poll: Poll
    private let directory: TemporaryDirectory

    /// The listening socket's descriptor, which the server owns.
    let listenerDescriptor: FileDescriptor

    init(
        authorization: Authorization? = nil,
        interfaces: [String] = [
            DaemonInterface.description, SystemdInterface.description, MetricsInterface.description,
        ]
    ) throws {
        let handler = ScriptedHandler()
        let log = RecordingLog()
        let directory = try TemporaryDirectory()
        let path = directory.appending("control.sock")
        let poll = try Poll()
        let listener = try UnixListener(binding: .path(FilePath(path)))
        let listenerDescriptor = listener.fileDescriptor
        let service = try Varlink.Service(
            vendor: "Verypoll",
            product: "verypolld",
            version: Release.version,
            url: "https://example.org",
            interfaces: try interfaces.map { try Interface(description: $0) }
        )
        let own = try UnixStream.pair().first.peerCredentials()
        let registry = try poll.registry.clone()
        let server = try ControlServer(
            listener: listener,
            registry: registry,
            firstToken: 1000,
            service: service,
            authorization: authorization ?? Authorization(daemonUser: own.userID, group: nil),
            logger: log.logger,
            threadTime: { handler.threadTime }
        )
        self.handler = handler
        self.log = log
        self.listenerDescriptor = listenerDescriptor
        self.server = server
        self.path = path
        self.poll = poll
        self.directory = directory
    }

    /// Runs the server until it has nothing left to do.
    ///
    /// - Returns: How many turns the server took; many turns mean that it spins.
    @discardableResult
    mutating func settle(now: ContinuousClock.Instant = .now) throws -> Int {
        var events = Events(capacity: 256)
        for turn in 0..<10_000 {
            try poll.poll(&events, timeout: .zero)
            let isDue = server.deadline.map { $0 <= now } ?? false
            let jobs = handler.takeJobs()
            if events.isEmpty, !isDue, jobs.isEmpty { return turn }
            server.handle(events, now: now, handler: handler)
            for job in jobs { server.finish(job.run(), now: now, handler: handler) }
            server.tick(now: now, handler: handler)
        }
        throw TimedOut(waitingFor: "the control server to become idle")
    }

    /// Runs one turn of the server, without its jobs.
    mutating func turn(_ events: inout Events, now: ContinuousClock.Instant = .now) throws {
        try poll.poll(&events, timeout: .zero)
        server.handle(events, now: now, handler: handler)
        server.tick(now: now, handler: handler)
    }

    /// Sends messages and returns the answers, one string per message.
    mutating func answers(
        to messages: String...,
        from client: borrowing Client
    ) throws -> [String] {
        try client.send(messages.flatMap { Array($0.utf8) + [0] })
        try settle()
        return try receiveMessages(messages.count, from: client)
    }

    func receiveMessages(_ count: Int, from client: borrowing Client) throws -> [String] {
        var bytes: [UInt8] = []
        while bytes.count(where: { $0 == 0 }) < count {
            let more = try client.receive()
            if more.isEmpty { break }
            bytes += more
        }
        return bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }
}

/// A handler with the answers that a test sets; it can leave session lists to be answered later.
final class ScriptedHandler: ControlHandler {
    var answersLater = false
    private(set) var callIDs: [CallID] = []
    private(set) var queries: [SessionQuery] = []
    private(set) var killed: [Int] = []
    private(set) var requests: [KillRequest] = []
    private(set) var callers: [Caller] = []
    private(set) var drains: [Duration?] = []
    private(set) var logLevels: [Int] = []
    private var jobs: [ControlJob] = []
    /// The CPU time that the server's thread appears to have used.
    private(set) var threadTime = Duration.zero
    /// The CPU time that a status call appears to take.
    var statusTime = Duration.zero

    /// The number of listeners and servers that the daemon appears to have.
    var entryCount = 0
    /// The text of the metrics.
    var metricsText = "# EOF\n"
    /// The metrics and families for `io.systemd.Metrics`.
    var reported: (metrics: [ReportedMetric], families: [ReportedFamily]) = ([], [])

    static let sessions = SessionList(sessions: [], truncated: false)

    func status() -> Status {
        threadTime += statusTime
        return Status(
            version: Release.version,
            pid: 1,
            startTimestampUSec: 2,
            configurationPath: nil,
            logLevel: "info",
            state: .running,
            drainDeadlineTimestampUSec: nil,
            note: nil,
            listeners: listeners(),
            upstreams: upstreams(),
            workers: [],
            totals: .init(
                active: 0,
                maxSessions: 10,
                accepted: 0,
                rejected: 0,
                bytesIn: 0,
                bytesOut: 0
            )
        )
    }

    func beginMonitoring() -> Status { status() }

    func upstreams() -> [Status.Upstream] { [] }
    func routings() -> [Status.Routing] { [] }

    func rankings(_ request: RankingRequest) throws(VarlinkError) -> [Status.Ranking] {
        if let upstream = request.upstream { throw .upstreamNotFound(upstream) }
        return []
    }

    func listeners() -> [Status.Listener] { [] }

    func metrics() -> @Sendable () -> MetricsText {
        threadTime += statusTime
        return { [metricsText] in MetricsText(text: metricsText) }
    }

    func reportedMetrics() -> @Sendable () -> [ReportedMetric] {
        { [reported] in reported.metrics }
    }

    func reportedFamilies() -> @Sendable () -> [ReportedFamily] {
        { [reported] in reported.families }
    }

    func sessions(
        matching query: SessionQuery,
        callID: CallID
    ) throws(VarlinkError) -> ControlAnswer<SessionList> {
        queries.append(query)
        if let listener = query.listener { throw .listenerNotFound(listener) }
        guard answersLater else { return .now(Self.sessions) }
        callIDs.append(callID)
        return .later
    }

    func killSession(
        _ id: Int,
        callID: CallID,
        by caller: Caller
    ) throws(VarlinkError) -> ControlAnswer<NoParameters> {
        guard id == 7 else { throw .sessionNotFound(id) }
        killed.append(id)
        callers.append(caller)
        return .now(NoParameters())
    }

    func session(
        _ id: Int,
        callID: CallID
    ) throws(VarlinkError) -> ControlAnswer<SessionAnswer> {
        throw .sessionNotFound(id)
    }

    func killSessions(
        _ request: KillRequest,
        callID: CallID,
        by caller: Caller
    ) throws(VarlinkError) -> ControlAnswer<KillCount> {
        callers.append(caller)
        requests.append(request)
        return .now(KillCount(count: 3))
    }

    func drain(
        listener: String?,
        deadline: Duration?,
        callID: CallID,
        by caller: Caller
    ) throws(VarlinkError) -> ControlAnswer<NoParameters> {
        if let listener { throw .listenerNotFound(listener) }
        drains.append(deadline)
        return .now(NoParameters())
    }

    func resume(
        listener: String?,
        callID: CallID,
        by caller: Caller
    ) throws(VarlinkError) -> ControlAnswer<NoParameters> {
        if let listener { throw .listenerNotFound(listener) }
        return .now(NoParameters())
    }

    func setServer(
        _ setting: ServerSetting,
        callID: CallID,
        by caller: Caller
    ) throws(VarlinkError) -> ControlAnswer<NoParameters> {
        guard setting.upstream == "app" else { throw .upstreamNotFound(setting.upstream) }
        throw .serverNotFound(setting.server, of: setting.upstream)
    }

    func configurationCheck() -> ControlJob.Check {
        { text throws(VarlinkError) in
            throw .configurationInvalid([
                Problem(file: "", line: 1, column: 2, pointer: "/a", message: text)
            ])
        }
    }

    func start(_ job: ControlJob) { jobs.append(job) }

    var jobCount: Int { jobs.count }

    func takeJobs() -> [ControlJob] {
        defer { jobs = [] }
        return jobs
    }

    func configuration() -> @Sendable () -> EffectiveConfiguration {
        { EffectiveConfiguration(config: ["workers": .number(2)], path: nil) }
    }

    func reload(
        callID: CallID,
        by caller: Caller
    ) throws(VarlinkError) -> ControlAnswer<ChangeList> {
        guard answersLater else { return .now(ChangeList(changes: [])) }
        callIDs.append(callID)
        return .later
    }

    func setLogLevel(_ level: Int, by caller: Caller) {
        logLevels.append(level)
    }
}
