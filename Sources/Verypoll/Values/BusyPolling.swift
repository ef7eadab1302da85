/// How a poll spins on the queues of network devices before it sleeps; see epoll's ioctls in
/// ioctl_eventpoll(2).
///
/// Busy polling trades CPU time for latency, and works only for sockets whose device has a NAPI
/// queue.
public struct BusyPolling: Hashable, Sendable {
    /// How long to spin, in whole microseconds, rounded up; zero does not spin.
    public var duration: Duration

    /// The most packets that one look at a queue processes; more than 64 requires `CAP_NET_ADMIN`.
    public var packetBudget: UInt16

    /// Whether the device's interrupts stay off while a process polls; `prefer_busy_poll`.
    public var isPreferred: Bool

    /// Creates parameters for ``Poll/setBusyPolling(_:)``.
    public init(duration: Duration, packetBudget: UInt16 = 8, isPreferred: Bool = false) {
        self.duration = duration
        self.packetBudget = packetBudget
        self.isPreferred = isPreferred
    }
}
