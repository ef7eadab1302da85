internal import CSystemd
internal import Glibc
package import SystemPackage

/// Tells the service manager what this process is up to.
///
/// Without a manager that listens, that is, without `NOTIFY_SOCKET` in the environment, nothing is
/// sent and nothing fails. A message is one datagram and is sent at once. Works from any thread.
///
/// All functions throw what the socket answers; a daemon reports that once and goes on serving.
/// See sd_notify(3).
package struct ServiceNotifier: Sendable {
    package init() {}

    /// Says that the service has started, or has reloaded its configuration, and what it does.
    package func ready(status: String) throws(Errno) {
        try send(["READY=1", line(status)])
    }

    /// Says what the service does; the manager shows it in one line.
    package func status(_ status: String) throws(Errno) {
        try send([line(status)])
    }

    /// Says that the service reads its configuration anew, until it is ``ready(status:)``.
    ///
    /// The manager tells by the time in it that the reload it asked for has begun.
    package func reloading(status: String) throws(Errno) {
        let now = monotonicMicroseconds()
        try send(["RELOADING=1", "MONOTONIC_USEC=\(now)", line(status)])
    }

    /// Says that the service has begun to end.
    package func stopping(status: String) throws(Errno) {
        try send(["STOPPING=1", line(status)])
    }

    /// Says that the service is alive; to be repeated within half of ``watchdogInterval()``.
    package func watchdog() throws(Errno) {
        try send(["WATCHDOG=1"])
    }

    /// Asks for this much more time, from now, to start, reload or stop.
    package func extendTimeout(by time: Duration) throws(Errno) {
        try send(["EXTEND_TIMEOUT_USEC=\(max(0, time.microseconds))"])
    }

    /// The time without a sign of life after which the manager takes the service for dead.
    ///
    /// - Returns: `nil` if it does not watch this process.
    /// - Throws: `Errno.invalidArgument` if the manager's variables make no sense.
    ///   See sd_watchdog_enabled(3).
    package func watchdogInterval() throws(Errno) -> Duration? {
        var microseconds: UInt64 = 0
        let isWatched = try checked(unsafe sd_watchdog_enabled(0, &microseconds)) > 0
        return isWatched ? .microseconds(Int64(clamping: microseconds)) : nil
    }

    private func send(_ assignments: [String]) throws(Errno) {
        try checked(unsafe sd_notify(0, assignments.joined(separator: "\n")))
    }

    /// A status with a line break would be taken for a further assignment.
    private func line(_ status: String) -> String {
        "STATUS=" + String(status.map { $0.isNewline ? " " : $0 })
    }
}

/// The answer of a function of libsystemd, which is a negative error number if it failed.
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
