@testable internal import StrictJSON
@testable internal import Varlink
@testable internal import VerypollConfiguration
@testable internal import VerypollControl
@testable internal import VerypollDaemon
@testable internal import VerypollServer

/// An empty daemon, which answers some calls at once and some later.
final class FakeHandler: ControlHandler {
    /// A pending answer.
    private enum Owed {
        case sessions(CallID)
        case nothing(CallID)
        case changes(CallID)
    }

    private var owed: [Owed] = []
    private var jobs: [ControlJob] = []

    /// Answers the call that has waited longest.
    func completeOne(on server: inout ControlServer) {
        guard !owed.isEmpty else { return }
        switch owed.removeFirst() {
        case .sessions(let callID):
            let list = SessionList(sessions: [], truncated: false)
            server.complete(callID, with: Result<SessionList, VarlinkError>.success(list))
        case .nothing(let callID):
            server.complete(callID, with: Result<NoParameters, VarlinkError>.failure(.busy))
        case .changes(let callID):
            let list = ChangeList(changes: [])
            server.complete(callID, with: Result<ChangeList, VarlinkError>.success(list))
        }
    }

    func status() -> Status {
        Status(
            version: "1",
            pid: 1,
            startTimestampUSec: 2,
            configurationPath: nil,
            logLevel: "info",
            state: .running,
            drainDeadlineTimestampUSec: nil,
            note: nil,
            listeners: [],
            upstreams: [],
            workers: [],
            totals: Status.Totals(
                active: 0,
                maxSessions: 1,
                accepted: 0,
                rejected: 0,
                bytesIn: 0,
                bytesOut: 0
            )
        )
    }

    func listeners() -> [Status.Listener] { [] }

    func upstreams() -> [Status.Upstream] { [] }
    func routings() -> [Status.Routing] { [] }

    func rankings(_ request: RankingRequest) throws(VarlinkError) -> [Status.Ranking] { [] }

    var entryCount: Int { 0 }

    func metrics() -> @Sendable () -> MetricsText { { MetricsText(text: "# EOF\n") } }

    func reportedMetrics() -> @Sendable () -> [ReportedMetric] {
        { [ReportedMetric(name: "a.B", object: "b", value: 1), .init(name: "a.C", value: "c")] }
    }

    func reportedFamilies() -> @Sendable () -> [ReportedFamily] {
        { [ReportedFamily(name: "a.B", description: "A b.", type: .gauge)] }
    }

    func sessions(
        matching query: SessionQuery,
        callID: CallID
    ) throws(VarlinkError) -> ControlAnswer<SessionList> {
        owed.append(.sessions(callID))
        return .later
    }

    func session(
        _ id: Int,
        callID: CallID
    ) throws(VarlinkError) -> ControlAnswer<SessionAnswer> {
        throw .sessionNotFound(id)
    }

    func killSession(
        _ id: Int,
        callID: CallID,
        by caller: Caller
    ) throws(VarlinkError) -> ControlAnswer<NoParameters> {
        guard id > 0 else { throw .sessionNotFound(id) }
        owed.append(.nothing(callID))
        return .later
    }

    func beginMonitoring() -> Status { status() }

    func killSessions(
        _ request: KillRequest,
        callID: CallID,
        by caller: Caller
    ) throws(VarlinkError) -> ControlAnswer<KillCount> {
        .now(KillCount(count: 0))
    }

    func drain(
        listener: String?,
        deadline: Duration?,
        callID: CallID,
        by caller: Caller
    ) throws(VarlinkError) -> ControlAnswer<NoParameters> {
        if let listener { throw .listenerNotFound(listener) }
        owed.append(.nothing(callID))
        return .later
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
        throw .serverNotFound(setting.server, of: setting.upstream)
    }

    func configurationCheck() -> ControlJob.Check {
        { text throws(VarlinkError) in
            throw .configurationInvalid([
                Problem(file: "", line: 1, column: 2, pointer: "", message: text)
            ])
        }
    }

    func start(_ job: ControlJob) { jobs.append(job) }

    func takeJobs() -> [ControlJob] {
        defer { jobs = [] }
        return jobs
    }

    func configuration() -> @Sendable () -> EffectiveConfiguration {
        { EffectiveConfiguration(config: [:], path: nil) }
    }

    func reload(
        callID: CallID,
        by caller: Caller
    ) throws(VarlinkError) -> ControlAnswer<ChangeList> {
        owed.append(.changes(callID))
        return .later
    }

    func setLogLevel(_ level: Int, by caller: Caller) {}
}
