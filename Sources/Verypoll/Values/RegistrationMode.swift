/// How often, and to how many polls, a ready source is reported.
public enum RegistrationMode: Hashable, Sendable {
    /// Each time it becomes ready anew, for which it must have been drained.
    ///
    /// It may be reported more often, as when more comes before the rest was read.
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
    /// For listening sockets that threads share. Whoever is woken has to take all there is, or to
    /// come back: for what is left nobody else is woken. The source can be deregistered but not
    /// reregistered, and `priority` is not allowed; see `EPOLLEXCLUSIVE` in epoll_ctl(2).
    case exclusive
}
