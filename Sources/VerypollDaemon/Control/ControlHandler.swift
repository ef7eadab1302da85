internal import Varlink
internal import VerypollControl
internal import VerypollServer

/// What the control server asks the daemon for.
///
/// Parameters have been checked, and the caller may do what it asks for.
protocol ControlHandler: AnyObject {
    /// How the daemon is doing.
    func status() -> Status

    /// How the daemon is doing, after which it tells the monitors of the control server what
    /// happens.
    func beginMonitoring() -> Status

    /// The listeners, in the order of their names.
    func listeners() -> [Status.Listener]

    /// The upstreams, in the order of their names.
    func upstreams() -> [Status.Upstream]

    /// All numbers, as OpenMetrics text.
    func metrics() -> MetricsText

    /// Lists the open sessions that `query` describes, at most as many as its limit.
    ///
    /// - Throws: ``VarlinkError/listenerNotFound(_:)`` if the query names none that there is.
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
        callID: CallID
    ) throws(VarlinkError) -> ControlAnswer<NoParameters>

    /// Begins to drain a listener, or all of them.
    ///
    /// - Parameters:
    ///   - listener: Which; `nil` is all.
    ///   - deadline: The time that sessions get; `nil` is that of the configuration.
    ///   - callID: The call, for an answer that comes later.
    /// - Returns: The answer, or that it comes later.
    /// - Throws: ``VarlinkError/listenerNotFound(_:)``.
    func drain(
        listener: String?,
        deadline: Duration?,
        callID: CallID
    ) throws(VarlinkError) -> ControlAnswer<NoParameters>

    /// Accepts again on a listener, or on all of them.
    ///
    /// - Throws: ``VarlinkError/listenerNotFound(_:)``, or ``VarlinkError/reloadFailed(_:)`` if a
    ///   socket cannot be had any more.
    func resume(
        listener: String?,
        callID: CallID
    ) throws(VarlinkError) -> ControlAnswer<NoParameters>

    /// Changes what a server gets; the weight, if there is one, is in range.
    ///
    /// - Throws: ``VarlinkError/upstreamNotFound(_:)`` or ``VarlinkError/serverNotFound(_:of:)``.
    func setServer(
        _ setting: ServerSetting,
        callID: CallID
    ) throws(VarlinkError) -> ControlAnswer<NoParameters>

    /// How the text of a configuration is to be checked.
    func configurationCheck() -> ControlJob.Check

    /// Does a job on another thread, and then calls ``ControlServer/finish(_:now:handler:)``.
    func start(_ job: ControlJob)

    /// The configuration that is in effect.
    func configuration() -> EffectiveConfiguration

    /// Reads the configuration's file again, and puts what is new into effect.
    ///
    /// - Throws: ``VarlinkError/reloadFailed(_:)``.
    func reload(callID: CallID) throws(VarlinkError) -> ControlAnswer<ChangeList>

    /// Sets the least level that is logged to one of syslog(3), from 0 to 7.
    func setLogLevel(_ level: Int)
}

/// An answer, or the promise of one.
enum ControlAnswer<Value: Sendable>: Sendable {
    /// The answer is here.
    case now(Value)
    /// The answer comes through ``ControlServer/complete(_:with:)``.
    case later
}

/// A call that waits for its answer.
struct CallID: Hashable, Sendable {
    let slot: Int
    let client: Int
    let call: Int
}
