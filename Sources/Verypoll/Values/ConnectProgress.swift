/// The progress of a connect(2).
public enum ConnectProgress: Hashable, Sendable {
    /// The connect is in progress: check again at the next writable event.
    case pending
    /// The socket is connected.
    case connected
}
