internal import Verypoll
internal import VerypollControl

/// An order to the daemon that changes the live configuration.
enum Order {
    case drain(listener: String?, deadline: Duration?, Request)
    case resume(listener: String?, Request)
    case configure(ServerSetting, Request)
    case stop(Signal)

    /// A call that waits for its answer, and the process that made it.
    struct Request: Hashable {
        let callID: CallID
        let caller: Caller
    }

    /// The call to answer; `nil` if a signal gave the order.
    var callID: CallID? {
        switch self {
        case .drain(_, _, let request), .resume(_, let request), .configure(_, let request):
            request.callID
        case .stop: nil
        }
    }

    fileprivate var signal: Signal? {
        if case .stop(let signal) = self { signal } else { nil }
    }
}

/// The changes of the live configuration that are in progress.
///
/// At most one ``LiveChange`` is made at a time, and orders wait for its end. Each change is then
/// rolled out to the workers.
struct LiveChanges {
    /// The time for which a stop waits for a change.
    static let stopLimit = Duration.seconds(5)

    /// The change that is being made; `nil` if there is none.
    private(set) var current: LiveChange?
    /// The orders that wait for the end of the change.
    private var held: [Order] = []
    /// The time at which a stop no longer waits; `nil` if no stop is waiting.
    private(set) var stopDueAt: ContinuousClock.Instant?
    /// The snapshots that not all workers have adopted yet.
    var rollouts = Rollouts()

    /// Notes that a change is being made.
    mutating func begin(_ change: LiveChange) { current = change }

    /// Notes that the change has ended.
    ///
    /// - Returns: The change, and the orders to carry out now.
    mutating func end() -> (change: LiveChange?, orders: [Order]) {
        defer {
            current = nil
            held = []
            stopDueAt = nil
        }
        return (current, held)
    }

    /// Notes an order.
    ///
    /// - Returns: Whether the order must wait for the end of the change.
    mutating func hold(_ order: Order, now: ContinuousClock.Instant = .now) -> Bool {
        guard current != nil else { return false }
        held.append(order)
        if case .stop = order, stopDueAt == nil { stopDueAt = now + Self.stopLimit }
        return true
    }

    /// Takes a stop that has waited for too long; the daemon must stop although the change is still
    /// being made.
    ///
    /// - Returns: The signal; `nil` if no stop is late.
    mutating func takeLateStop(now: ContinuousClock.Instant) -> Signal? {
        guard let due = stopDueAt, due <= now,
            let index = held.firstIndex(where: { $0.signal != nil })
        else { return nil }
        let signal = held.remove(at: index).signal
        if !held.contains(where: { $0.signal != nil }) { stopDueAt = nil }
        return signal
    }
}
