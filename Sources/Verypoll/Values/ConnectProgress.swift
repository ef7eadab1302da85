/// How far a connect(2) has come.
public enum ConnectProgress: Hashable, Sendable {
    /// Still under way: ask again at the next writable event.
    case pending
    /// Done: the socket can be used.
    case connected
}
