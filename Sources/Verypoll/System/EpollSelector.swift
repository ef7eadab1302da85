#if OSPoll && !PollSelector
internal import CVerypoll
internal import Synchronization
internal import SystemPackage

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// An epoll instance; see epoll(7).
struct Selector: ~Copyable, Sendable {
    private let epoll: OwnedFD

    var fileDescriptor: FileDescriptor { epoll.fileDescriptor }

    init() throws(Errno) {
        epoll = OwnedFD(rawValue: try syscall { epoll_create1(CInt(EPOLL_CLOEXEC)) })
    }

    private init(epoll: consuming OwnedFD) {
        self.epoll = epoll
    }

    /// Returns the same instance with a second descriptor.
    func clone() throws(Errno) -> Selector {
        Selector(epoll: try epoll.duplicate())
    }

    func add(_ fd: CInt, token: Token, interest: Interest, mode: RegistrationMode) throws(Errno) {
        try control(EPOLL_CTL_ADD, fd, token: token, mask: interest.mask(in: mode))
    }

    /// Watches an eventfd(2) that is never read: each increase is an edge.
    func addCounter(_ fd: CInt, token: Token) throws(Errno) {
        try add(fd, token: token, interest: .readable, mode: .edge)
    }

    func modify(
        _ fd: CInt,
        token: Token,
        interest: Interest,
        mode: RegistrationMode
    ) throws(Errno) {
        try control(EPOLL_CTL_MOD, fd, token: token, mask: interest.mask(in: mode))
    }

    func delete(_ fd: CInt) throws(Errno) {
        // Since Linux 2.6.9, the kernel ignores the event of a deletion.
        try control(EPOLL_CTL_DEL, fd, token: Token(0), mask: 0)
    }

    /// Replaces the contents of `ready` with the pending events, waiting if there are none.
    @inline(__always)
    func wait(into ready: inout EventBuffer, timeout: Duration?) throws(Errno) {
        try unsafe ready.fill { base, room throws(Errno) in
            guard let timeout, timeout > .zero else {
                let wait: CInt = timeout == nil ? -1 : 0
                return try syscall {
                    unsafe cverypoll_wait(epoll.rawValue, base, room, wait)
                }
            }
            return try unsafe wait(base, room, timeout)
        }
    }

    func busyPolling() throws(Errno) -> BusyPolling {
        var raw = cverypoll_busy_poll()
        try supported { unsafe cverypoll_get_busy_poll(epoll.rawValue, &raw) }
        return BusyPolling(
            duration: .microseconds(Int64(raw.busy_poll_usecs)),
            packetBudget: raw.busy_poll_budget,
            isPreferred: raw.prefer_busy_poll != 0
        )
    }

    func setBusyPolling(_ parameters: BusyPolling) throws(Errno) {
        let raw = cverypoll_busy_poll(
            busy_poll_usecs: UInt32(parameters.duration.roundedUp(to: .microseconds(1))),
            busy_poll_budget: parameters.packetBudget,
            prefer_busy_poll: parameters.isPreferred ? 1 : 0,
            pad: 0
        )
        try supported { cverypoll_set_busy_poll(epoll.rawValue, raw) }
    }

    /// Throws `notSupported` on older kernels too, which report an unknown ioctl as `ENOTTY`.
    private func supported(_ call: () -> CInt) throws(Errno) {
        do throws(Errno) {
            _ = try syscall(call)
        } catch .inappropriateIOCTLForDevice {
            throw .notSupported
        }
    }

    private func wait(
        _ base: UnsafeMutablePointer<SystemEvent>?,
        _ room: CInt,
        _ timeout: Duration
    ) throws(Errno) -> CInt {
        if !lacksNanoseconds.load(ordering: .relaxed) {
            do throws(Errno) {
                return try unsafe waitNanoseconds(base, room, timeout)
            } catch .noFunction {
                lacksNanoseconds.store(true, ordering: .relaxed)
            }
        }
        return try syscall {
            unsafe cverypoll_wait(epoll.rawValue, base, room, timeout.wholeMilliseconds)
        }
    }

    private func waitNanoseconds(
        _ base: UnsafeMutablePointer<SystemEvent>?,
        _ room: CInt,
        _ timeout: Duration
    ) throws(Errno) -> CInt {
        let (seconds, nanoseconds) = timeout.wholeNanoseconds
        return try syscall {
            unsafe cverypoll_wait2(epoll.rawValue, base, room, seconds, nanoseconds)
        }
    }

    private func control(
        _ operation: CInt,
        _ fd: CInt,
        token: Token,
        mask: UInt32
    ) throws(Errno) {
        let bits = UInt64(bitPattern: Int64(token.rawValue))
        let event = SystemEvent(mask: mask, token: bits)
        _ = try syscall { cverypoll_ctl(epoll.rawValue, operation, fd, event) }
    }
}

/// Set once a call has shown that the kernel lacks epoll_pwait2(2), added in Linux 5.11.
private let lacksNanoseconds = Atomic(false)

extension Interest {
    /// The epoll mask for this interest.
    fileprivate func mask(in mode: RegistrationMode) -> UInt32 {
        let flags = flags(in: mode)
        switch mode {
        case .edge: return flags | EPOLLET.rawValue
        case .level: return flags
        case .oneShot: return flags | EPOLLONESHOT.rawValue
        case .edgeOneShot: return flags | EPOLLET.rawValue | EPOLLONESHOT.rawValue
        case .exclusive: return flags | cverypoll_exclusive
        }
    }
}

extension Duration {
    /// The timeout for epoll_wait(2), in milliseconds, rounded up and clamped.
    fileprivate var wholeMilliseconds: CInt {
        let (seconds, attoseconds) = components
        let (millis, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        guard !overflow else { return .max }
        return CInt(clamping: millis + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
#endif
