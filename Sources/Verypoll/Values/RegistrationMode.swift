/// How often, and to how many polls, a ready source is reported.
public enum RegistrationMode: Hashable, Sendable {
    /// Each time the source becomes ready again after it was drained.
    ///
    /// It may be reported more often, such as when more bytes arrive before the rest is read.
    case edge

    /// At every poll while the source is ready.
    case level

    /// Once, at the next poll that finds the source ready; then not again until it is reregistered.
    case oneShot

    /// Once, when the source becomes ready; then not again until it is reregistered.
    case edgeOneShot

    /// Like ``level``, but if one source is registered with several polls, a change wakes at least
    /// one of them rather than all.
    ///
    /// Use this mode for listening sockets that threads share. The woken thread must drain the
    /// source or poll again, because no other thread is woken for the rest. The source can be
    /// deregistered but not reregistered, and `priority` is not allowed; see `EPOLLEXCLUSIVE` in
    /// epoll_ctl(2).
    case exclusive
}
