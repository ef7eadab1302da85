/// How often, and to how many polls, a ready source is reported.
public enum RegistrationMode: Hashable, Sendable {
    /// Once when it becomes ready, and again only after it was drained and became ready anew.
    case edge

    /// At every poll for as long as it is ready.
    case level

    /// Once, at the next poll that finds it ready; then not until it is reregistered.
    case oneShot

    /// Once when it becomes ready; then not until it is reregistered.
    case edgeOneShot

    /// As ``level``, but where one source is registered with several polls, a change wakes at least
    /// one of them and not all.
    ///
    /// For listening sockets that threads share. The source can be deregistered but not
    /// reregistered, and `priority` is not allowed; see `EPOLLEXCLUSIVE` in epoll_ctl(2).
    case exclusive
}
