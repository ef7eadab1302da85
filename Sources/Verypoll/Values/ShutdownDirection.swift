/// The direction of a connection to shut down; see shutdown(2).
public enum ShutdownDirection: Hashable, Sendable {
    /// Nothing more will be read.
    case read
    /// Nothing more will be written: the peer reads to the end of file.
    case write
    /// Both.
    case both
}
