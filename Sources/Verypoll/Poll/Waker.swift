public import SystemPackage

/// Wakes a ``Poll`` from any thread.
///
/// It is a class because threads share it. A poll may have any number of wakers, each with its own
/// token.
///
/// Destroying a waker discards its pending event, so keep it for as long as you need wake-ups: in a
/// property, or with `withExtendedLifetime`, because a local reference may be released after its
/// last use.
public final class Waker: Sendable {
    private let counter: WakeCounter

    /// Creates and registers a waker whose events carry `token`.
    ///
    /// - Throws: `Errno.tooManyOpenFiles` if the process is out of descriptors. See eventfd(2) and
    ///   epoll_ctl(2).
    public init(registry: borrowing Registry, token: Token) throws(Errno) {
        counter = try WakeCounter(selector: registry.selector, token: token)
    }

    /// Makes the poll return with a readable event for this waker's token.
    ///
    /// Several wake-ups before the poll returns are merged into one event.
    public func wake() throws(Errno) {
        try counter.increment()
    }
}
