internal import CSystemd
internal import Glibc
package import SystemPackage

/// Notifies the service manager of the state of this process.
///
/// Without `NOTIFY_SOCKET` in the environment, that is, without a manager that listens, the
/// functions do nothing. Each message is one datagram, sent at once. Any thread may call the
/// functions.
///
/// All functions throw errors of the socket, which a daemon reports once before it continues to
/// serve. See sd_notify(3).
package struct ServiceNotifier: Sendable {
    package init() {}

    /// Reports that the service has started or reloaded its configuration, with a status.
    package func ready(status: String) throws(Errno) {
        try send(["READY=1", line(status)])
    }

    /// Reports a status, which the manager shows as one line.
    package func status(_ status: String) throws(Errno) {
        try send([line(status)])
    }

    /// Reports that the service is reloading its configuration, until ``ready(status:)``.
    ///
    /// The message contains the time, by which the manager knows that the reload it requested has
    /// started.
    package func reloading(status: String) throws(Errno) {
        let now = monotonicMicroseconds()
        try send(["RELOADING=1", "MONOTONIC_USEC=\(now)", line(status)])
    }

    /// Reports that the service has started to shut down.
    package func stopping(status: String) throws(Errno) {
        try send(["STOPPING=1", line(status)])
    }

    /// Reports that the service is alive.
    ///
    /// Repeat it within half of ``watchdogInterval()``.
    package func watchdog() throws(Errno) {
        try send(["WATCHDOG=1"])
    }

    /// Requests this much time, from now, to finish starting, reloading or stopping.
    package func extendTimeout(by time: Duration) throws(Errno) {
        try send(["EXTEND_TIMEOUT_USEC=\(max(0, time.microseconds))"])
    }

    /// Returns the time without a keep-alive after which the manager considers the service dead.
    ///
    /// - Returns: The interval, or `nil` if the manager does not watch this process.
    /// - Throws: `Errno.invalidArgument` if the manager's variables are not valid. See
    ///   sd_watchdog_enabled(3).
    package func watchdogInterval() throws(Errno) -> Duration? {
        var microseconds: UInt64 = 0
        let isWatched = try checked(unsafe sd_watchdog_enabled(0, &microseconds)) > 0
        return isWatched ? .microseconds(Int64(clamping: microseconds)) : nil
    }

    private func send(_ assignments: [String]) throws(Errno) {
        try checked(unsafe sd_notify(0, assignments.joined(separator: "\n")))
    }

    /// Returns the assignment of a status on one line: text after a line break would be another
    /// assignment.
    private func line(_ status: String) -> String {
        "STATUS=" + String(status.map { $0.isNewline ? " " : $0 })
    }
}

/// Returns the result of a function of libsystemd, or throws it if it is a negative error number.
@discardableResult
func checked(_ result: CInt) throws(Errno) -> CInt {
    if result < 0 { throw Errno(rawValue: -result) }
    return result
}

private func monotonicMicroseconds() -> Int64 {
    var now = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &now)
    return Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1000
}

extension Duration {
    /// Whole microseconds, rounded down.
    fileprivate var microseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000_000 + attoseconds / 1_000_000_000_000
    }
}
