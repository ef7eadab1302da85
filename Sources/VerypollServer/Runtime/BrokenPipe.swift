internal import Glibc

/// A pipe or socket whose reader went away.
package enum BrokenPipe {
    /// Makes writing to one an error rather than the end of the process; see `SIGPIPE` in
    /// signal(7).
    ///
    /// Sockets are written to without the signal anyway. The standard error is not.
    package static func ignoreSignal() {
        _ = signal(SIGPIPE, SIG_IGN)
    }
}
