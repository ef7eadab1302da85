public import SystemPackage

/// Wakes a ``Poll`` from any thread.
///
/// A class, because sharing it between threads is its whole purpose. A poll may have any number of
/// them, each with a token of its own.
///
/// A waker that is gone takes its pending event with it, so keep it for as long as wake-ups are
/// wanted: in a property, or with `withExtendedLifetime`, since a local reference may be let go of
/// after its last use.
public final class Waker: Sendable {
    private let counter: WakeCounter

    /// Registers a new waker, whose events carry `token`.
    ///
    /// - Throws: `Errno.tooManyOpenFiles` if out of descriptors. See eventfd(2) and epoll_ctl(2).
    public init(registry: borrowing Registry, token: Token) throws(Errno) {
        counter = try WakeCounter(selector: registry.selector, token: token)
    }

    /// Makes the poll return with a readable event for this waker's token.
    ///
    /// Wake-ups that come before the poll returns are merged into one event.
    public func wake() throws(Errno) {
        try counter.increment()
    }
}
