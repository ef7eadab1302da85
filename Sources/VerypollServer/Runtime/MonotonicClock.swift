internal import CVerypoll
internal import Glibc

/// The clock that is never set back or forward, `CLOCK_MONOTONIC`, read through the vDSO.
package enum MonotonicClock {
    /// The nanoseconds since an arbitrary moment in the past.
    package static func nanoseconds() -> UInt64 {
        cverypoll_clock(CLOCK_MONOTONIC)
    }

    /// The whole milliseconds of ``nanoseconds()``.
    package static func milliseconds() -> UInt64 {
        nanoseconds() / 1_000_000
    }
}

/// The time of day, which may be set back or forward.
package enum WallClock {
    /// The microseconds since the beginning of 1970 UTC.
    package static func microseconds() -> Int {
        Int(cverypoll_clock(CLOCK_REALTIME) / 1_000)
    }
}

/// The processor time of the calling thread.
package enum ThreadClock {
    /// The time that the thread has used so far.
    package static func time() -> Duration {
        .nanoseconds(cverypoll_clock(CLOCK_THREAD_CPUTIME_ID))
    }
}

extension Duration {
    /// The duration in whole milliseconds, rounded up so that timers never fire early.
    package var milliseconds: UInt64 {
        let (seconds, attoseconds) = components
        let (millis, overflow) = UInt64(clamping: seconds).multipliedReportingOverflow(by: 1000)
        guard !overflow else { return .max / 4 }
        return millis + UInt64(max(0, attoseconds) + 999_999_999_999_999) / 1_000_000_000_000_000
    }
}
