#if OSExt
internal import CVerypoll
internal import Glibc
internal import SystemPackage

/// A timerfd(2): a clock's countdown, and the number of times that it has run out.
struct TimerDescriptor: ~Copyable, Sendable {
    private let descriptor: OwnedFD

    var fileDescriptor: FileDescriptor { descriptor.fileDescriptor }

    init(countsSuspension: Bool) throws(Errno) {
        let clock = countsSuspension ? CLOCK_BOOTTIME : CLOCK_MONOTONIC
        let flags = CInt(TFD_CLOEXEC | TFD_NONBLOCK)
        descriptor = OwnedFD(rawValue: try syscall { timerfd_create(CInt(clock), flags) })
    }

    /// Runs out after `first`, never if that is zero, and then every `interval`, unless it is zero.
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

    /// The nanoseconds until it runs out, 0 if it does not run.
    func remaining() throws(Errno) -> Int64 {
        try syscall { cverypoll_gettime(descriptor.rawValue) }
    }

    /// How often it has run out since it was asked last; `nil` for never.
    func expirations() throws(Errno) -> UInt64? {
        var count: UInt64 = 0
        let size = MemoryLayout<UInt64>.size
        let read = try readySyscall(reading: descriptor.rawValue, room: .max) {
            unsafe Glibc.read(descriptor.rawValue, &count, size)
        }
        return read == nil ? nil : count
    }
}
#endif
