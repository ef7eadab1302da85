#if Net && OSExt
internal import Varlink
internal import VerypollControl

/// What the control server asks the daemon for.
///
/// Parameters have been checked, and the caller may do what it asks for.
protocol ControlHandler: AnyObject {
    /// How the daemon is doing.
    func status() -> Status

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
        ticket: ControlTicket
    ) throws(VarlinkError) -> ControlAnswer<SessionList>

    /// Closes a session at once.
    ///
    /// - Throws: ``VarlinkError/sessionNotFound(_:)``.
    func killSession(
        _ id: Int,
        ticket: ControlTicket
    ) throws(VarlinkError) -> ControlAnswer<NoParameters>
}

/// An answer, or the promise of one.
enum ControlAnswer<Value: Sendable>: Sendable {
    /// The answer is here.
    case now(Value)
    /// The answer comes through ``ControlServer/complete(_:with:)``.
    case later
}

/// A call that waits for its answer.
struct ControlTicket: Hashable, Sendable {
    let slot: Int
    let client: Int
    let call: Int
}
#endif
