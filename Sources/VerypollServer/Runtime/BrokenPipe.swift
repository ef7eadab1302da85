internal import Glibc

/// A write to a pipe or socket whose reader has closed it.
package enum BrokenPipe {
    /// Ignores `SIGPIPE`, so that such a write fails with an error and does not kill the process;
    /// see signal(7).
    ///
    /// Writes to sockets suppress the signal by themselves. Writes to standard error do not.
    package static func ignoreSignal() {
        _ = signal(SIGPIPE, SIG_IGN)
    }
}
