#if OSExt
internal import CVerypoll
internal import SystemPackage

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// A timerfd: a countdown, and a counter of expirations; see timerfd_create(2).
struct TimerDescriptor: ~Copyable, Sendable {
    private let descriptor: OwnedFD

    var fileDescriptor: FileDescriptor { descriptor.fileDescriptor }

    init(countsSuspension: Bool) throws(Errno) {
        let clock = countsSuspension ? CLOCK_BOOTTIME : CLOCK_MONOTONIC
        let flags = CInt(TFD_CLOEXEC | TFD_NONBLOCK)
        descriptor = OwnedFD(rawValue: try syscall { timerfd_create(CInt(clock), flags) })
    }

    /// Starts the timer, or stops it if `first` is zero.
    ///
    /// It repeats unless `interval` is zero.
    func set(first: Duration, interval: Duration) throws(Errno) {
        let first = first.wholeNanoseconds
        let interval = interval.wholeNanoseconds
        _ = try syscall {
            cverypoll_settime(
                descriptor.rawValue,
                first.seconds,
                first.nanoseconds,
                interval.seconds,
                interval.nanoseconds
            )
        }
    }

    /// Returns the nanoseconds until the next expiration, 0 if the timer is stopped.
    func remaining() throws(Errno) -> Int64 {
        try syscall { cverypoll_gettime(descriptor.rawValue) }
    }

    /// Reads how often the timer has expired since the last call; `nil` for never.
    func expirations() throws(Errno) -> UInt64? {
        var count: UInt64 = 0
        let size = MemoryLayout<UInt64>.size
        let read = try readySyscall(reading: descriptor.rawValue, room: .max) {
            unsafe libcRead(descriptor.rawValue, &count, size)
        }
        return read == nil ? nil : count
    }
}
#endif
