internal import Varlink
internal import VerypollControl
internal import VerypollServer

/// The operations that the control server requests from the daemon.
///
/// The control server has already checked the form of the parameters and the caller's permission.
protocol ControlHandler: AnyObject {
    /// The number of listeners and servers: answers about all of them grow with it.
    var entryCount: Int { get }

    /// Returns the status of the daemon.
    func status() -> Status

    /// Returns the status of the daemon, and starts to send events to the clients that monitor it.
    func beginMonitoring() -> Status

    /// Returns the listeners, sorted by name.
    func listeners() -> [Status.Listener]

    /// Returns the upstreams, sorted by name.
    func upstreams() -> [Status.Upstream]

    /// Returns the routes of the listeners with inspection, sorted by the listeners' names.
    func routings() -> [Status.Routing]

    /// Returns the servers that the upstreams choose for a key, sorted by the upstreams' names.
    ///
    /// - Throws: ``VarlinkError/upstreamNotFound(_:)``, or ``VarlinkError/invalidParameter(_:)`` if
    ///   the key is not valid.
    func rankings(_ request: RankingRequest) throws(VarlinkError) -> [Status.Ranking]

    /// Returns a function that writes all metrics of this moment as OpenMetrics text.
    func metrics() -> @Sendable () -> MetricsText

    /// Returns a function that lists all metrics of this moment.
    func reportedMetrics() -> @Sendable () -> [ReportedMetric]

    /// Returns a function that describes all families of metrics.
    func reportedFamilies() -> @Sendable () -> [ReportedFamily]

    /// Lists the open sessions that match `query`, up to its limit.
    ///
    /// - Throws: ``VarlinkError/listenerNotFound(_:)``, ``VarlinkError/upstreamNotFound(_:)`` or
    ///   ``VarlinkError/serverNotFound(_:of:)`` if the query names a listener, an upstream or a
    ///   server that does not exist; ``VarlinkError/invalidParameter(_:)`` if the peer or the
    ///   server name is not valid.
    func sessions(
        matching query: SessionQuery,
        callID: CallID
    ) throws(VarlinkError) -> ControlAnswer<SessionList>

    /// Shows an open session.
    ///
    /// - Throws: ``VarlinkError/sessionNotFound(_:)``.
    func session(
        _ id: Int,
        callID: CallID
    ) throws(VarlinkError) -> ControlAnswer<SessionAnswer>

    /// Closes a session at once.
    ///
    /// - Throws: ``VarlinkError/sessionNotFound(_:)``.
    func killSession(
        _ id: Int,
        callID: CallID,
        by caller: Caller
    ) throws(VarlinkError) -> ControlAnswer<NoParameters>

    /// Closes the sessions that meet criteria, or all sessions. The request has one of both.
    ///
    /// - Throws: The errors of ``sessions(matching:callID:)``, or ``VarlinkError/busy``.
    func killSessions(
        _ request: KillRequest,
        callID: CallID,
        by caller: Caller
    ) throws(VarlinkError) -> ControlAnswer<KillCount>

    /// Starts to drain a listener, or all listeners.
    ///
    /// - Parameters:
    ///   - listener: The name of the listener; `nil` for all.
    ///   - deadline: The time within which sessions must end; `nil` for the configured time.
    ///   - callID: The ID of the call, for a later answer.
    ///   - caller: The process that made the call.
    /// - Returns: The answer, or `later`.
    /// - Throws: ``VarlinkError/listenerNotFound(_:)``.
    func drain(
        listener: String?,
        deadline: Duration?,
        callID: CallID,
        by caller: Caller
    ) throws(VarlinkError) -> ControlAnswer<NoParameters>

    /// Accepts again on a listener, or on all listeners.
    ///
    /// - Throws: ``VarlinkError/listenerNotFound(_:)``, or ``VarlinkError/reloadFailed(_:)`` if a
    ///   socket cannot be opened.
    func resume(
        listener: String?,
        callID: CallID,
        by caller: Caller
    ) throws(VarlinkError) -> ControlAnswer<NoParameters>

    /// Changes the mode or the weight of a server. The weight, if there is one, is in range.
    ///
    /// - Throws: ``VarlinkError/upstreamNotFound(_:)`` or ``VarlinkError/serverNotFound(_:of:)``.
    func setServer(
        _ setting: ServerSetting,
        callID: CallID,
        by caller: Caller
    ) throws(VarlinkError) -> ControlAnswer<NoParameters>

    /// Returns a function that checks the text of a configuration.
    func configurationCheck() -> ControlJob.Check

    /// Runs a job on another thread, and then calls ``ControlServer/finish(_:now:handler:)``.
    func start(_ job: ControlJob)

    /// Returns a function that describes the configuration that is in effect now.
    func configuration() -> @Sendable () -> EffectiveConfiguration

    /// Reads the configuration file again, and puts it into effect.
    ///
    /// - Throws: ``VarlinkError/reloadFailed(_:)``.
    func reload(
        callID: CallID,
        by caller: Caller
    ) throws(VarlinkError) -> ControlAnswer<ChangeList>

    /// Sets the log level, as a priority of syslog(3) from 0 to 7.
    func setLogLevel(_ level: Int, by caller: Caller)
}

/// An answer, now or later.
enum ControlAnswer<Value: Sendable>: Sendable {
    /// The answer.
    case now(Value)
    /// The answer follows through ``ControlServer/complete(_:with:)``.
    case later
}

/// A socket with a control server.
enum ServedSocket: String, Sendable {
    case control = "control socket"
    case metrics = "metrics socket"
}

/// The ID of a call that waits for its answer.
struct CallID: Hashable, Sendable {
    let slot: Int
    let client: Int
    let call: Int
    /// The socket over which the client is connected.
    var socket = ServedSocket.control
}
