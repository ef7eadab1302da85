import Synchronization
import SystemPackage
import TestSupport
import Varlink
import Verypoll
import VerypollControl

@testable import StrictJSON
@testable import VerypollConfiguration
@testable import VerypollDaemon
@testable import VerypollServer

/// The daemon's control server on its own thread, with fixed answers.
final class FakeDaemon: Sendable {
    let path: String
    private let thread: VerypollServer.Thread
    private let waker: Waker
    private let isStopping: Flag

    /// Serves at `path` until this object is deallocated.
    init(path: String, status: Status, sessions: SessionList) throws {
        let poll = try Poll()
        let waker = try Waker(registry: poll.registry, token: Token(0))
        let isStopping = Flag()
        let loop = TransferBox(
            Loop(
                poll: poll,
                listener: try UnixListener(binding: .path(FilePath(path))),
                handler: FixedHandler(status: status, sessions: sessions)
            )
        )
        self.path = path
        self.waker = waker
        self.isStopping = isStopping
        thread = try VerypollServer.Thread(name: "fake daemon") {
            do {
                try loop.take()?.run(until: isStopping)
            } catch {
                fatalError("the fake daemon failed: \(error)")
            }
        }
    }

    deinit {
        isStopping.set()
        try? waker.wake()
        thread.join()
    }
}

/// The thread's event loop.
private struct Loop: ~Copyable, Sendable {
    var poll: Poll
    let listener: UnixListener
    let handler: FixedHandler

    consuming func run(until isStopping: Flag) throws {
        let handler = handler
        var poll = poll
        var server = try ControlServer(
            listener: listener,
            registry: try poll.registry.clone(),
            firstToken: 1,
            service: try Varlink.Service(
                vendor: "Verypoll",
                product: "verypolld",
                version: handler.fixedStatus.version,
                url: "https://example.org",
                interfaces: [
                    try Interface(description: DaemonInterface.description),
                    try Interface(description: SystemdInterface.description),
                    try Interface(description: MetricsInterface.description),
                ]
            ),
            authorization: Authorization(daemonUser: 0, group: nil),
            threadTime: { .zero }
        )
        var events = Events(capacity: 64)
        while !isStopping.isSet {
            if let deadline = server.deadline {
                try poll.poll(&events, until: deadline)
            } else {
                try poll.poll(&events)
            }
            server.handle(events, handler: handler)
            server.tick(handler: handler)
            for job in handler.takeJobs() { server.finish(job.run(), handler: handler) }
        }
    }
}

private final class FixedHandler: ControlHandler, Sendable {
    let fixedStatus: Status
    private let fixedSessions: SessionList
    private let jobs = Mutex<[ControlJob]>([])

    init(status: Status, sessions: SessionList) {
        fixedStatus = status
        fixedSessions = sessions
    }

    var entryCount: Int { 0 }

    func status() -> Status { fixedStatus }

    func beginMonitoring() -> Status { fixedStatus }

    func listeners() -> [Status.Listener] { fixedStatus.listeners }

    func upstreams() -> [Status.Upstream] { fixedStatus.upstreams }

    func routings() -> [Status.Routing] { Sample.routings }

    func rankings(_ request: RankingRequest) throws(VarlinkError) -> [Status.Ranking] {
        if let name = request.upstream, !fixedStatus.upstreams.contains(where: { $0.name == name })
        {
            throw .upstreamNotFound(name)
        }
        guard request.key == Sample.rankedKey else { return [] }
        return Sample.rankings
    }

    func metrics() -> @Sendable () -> MetricsText {
        { MetricsText(text: "# TYPE a gauge\na{b=\"c\"} 1\n# EOF\n") }
    }

    func reportedMetrics() -> @Sendable () -> [ReportedMetric] { { [] } }

    func reportedFamilies() -> @Sendable () -> [ReportedFamily] { { [] } }

    func sessions(
        matching query: SessionQuery,
        callID: CallID
    ) throws(VarlinkError) -> ControlAnswer<SessionList> {
        if let name = query.listener, !fixedStatus.listeners.contains(where: { $0.name == name }) {
            throw .listenerNotFound(name)
        }
        let found = fixedSessions.sessions.filter { session in
            session.listener == query.listener ?? session.listener
                && session.peer.contains(query.peer ?? "")
        }
        let limit = query.effectiveLimit
        return .now(
            SessionList(sessions: Array(found.prefix(limit)), truncated: found.count > limit)
        )
    }

    func killSession(
        _ id: Int,
        callID: CallID,
        by caller: Caller
    ) throws(VarlinkError) -> ControlAnswer<NoParameters> {
        guard fixedSessions.sessions.contains(where: { $0.id == id }) else {
            throw .sessionNotFound(id)
        }
        return .now(NoParameters())
    }

    func session(
        _ id: Int,
        callID: CallID
    ) throws(VarlinkError) -> ControlAnswer<SessionAnswer> {
        guard let session = fixedSessions.sessions.first(where: { $0.id == id }) else {
            throw .sessionNotFound(id)
        }
        return .now(SessionAnswer(session: session))
    }

    func killSessions(
        _ request: KillRequest,
        callID: CallID,
        by caller: Caller
    ) throws(VarlinkError) -> ControlAnswer<KillCount> {
        guard case .now(let list) = try sessions(matching: request.query, callID: callID) else {
            throw .busy
        }
        return .now(KillCount(count: list.sessions.count))
    }

    func drain(
        listener: String?,
        deadline: Duration?,
        callID: CallID,
        by caller: Caller
    ) throws(VarlinkError) -> ControlAnswer<NoParameters> {
        try check(listener)
        return .now(NoParameters())
    }

    func resume(
        listener: String?,
        callID: CallID,
        by caller: Caller
    ) throws(VarlinkError) -> ControlAnswer<NoParameters> {
        try check(listener)
        return .now(NoParameters())
    }

    private func check(_ listener: String?) throws(VarlinkError) {
        guard let listener else { return }
        if !fixedStatus.listeners.contains(where: { $0.name == listener }) {
            throw .listenerNotFound(listener)
        }
    }

    func setServer(
        _ setting: ServerSetting,
        callID: CallID,
        by caller: Caller
    ) throws(VarlinkError) -> ControlAnswer<NoParameters> {
        guard let upstream = fixedStatus.upstreams.first(where: { $0.name == setting.upstream })
        else { throw .upstreamNotFound(setting.upstream) }
        if !upstream.servers.contains(where: { $0.address == setting.server }) {
            throw .serverNotFound(setting.server, of: setting.upstream)
        }
        return .now(NoParameters())
    }

    func configurationCheck() -> ControlJob.Check {
        { text throws(VarlinkError) in
            guard text.hasPrefix("{") else {
                throw .configurationInvalid([
                    Problem(file: "", line: 1, column: 2, pointer: "", message: "must be an object")
                ])
            }
            return ChangeList(changes: Self.changes)
        }
    }

    func start(_ job: ControlJob) { jobs.withLock { $0.append(job) } }

    func takeJobs() -> [ControlJob] {
        jobs.withLock { jobs in
            defer { jobs = [] }
            return jobs
        }
    }

    func configuration() -> @Sendable () -> EffectiveConfiguration {
        { EffectiveConfiguration(config: ["workers": .number(2)], path: nil) }
    }

    func reload(
        callID: CallID,
        by caller: Caller
    ) throws(VarlinkError) -> ControlAnswer<ChangeList> {
        .now(ChangeList(changes: Self.changes))
    }

    func setLogLevel(_ level: Int, by caller: Caller) {}

    private static let changes = [
        ConfigurationChange(
            pointer: "/listeners/web",
            kind: .removed,
            before: #"{"listen":["[::]:8080"]}"#,
            after: nil
        ),
        ConfigurationChange(pointer: "/workers", kind: .changed, before: "1", after: "2"),
    ]
}
