#if PollSelector
internal import CVerypoll
internal import SystemPackage

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// A descriptor to poll with poll(2), and the flags that it is still polled for.
struct PollSelectorRegistration {
    let fd: CInt
    let token: Token
    let interest: UInt32
    let mode: RegistrationMode

    /// Whether the descriptor is an eventfd(2), to reset when it is reported.
    var isCounter = false

    /// In edge mode, the flags that were reported, and are not reported again until a
    /// ``SelectorNotice`` says that their readiness was used up.
    private var reported: UInt32 = 0

    /// Whether the descriptor is left out of poll(2) for now.
    private var isSilent = false

    init(_ fd: CInt, token: Token, interest: Interest, mode: RegistrationMode) {
        self.fd = fd
        self.token = token
        self.interest = interest.flags(in: mode)
        self.mode = mode
    }

    /// The entry of the descriptor for a wait.
    var question: pollfd {
        pollfd(fd: isSilent ? -1 : fd, flags: interest & ~reported)
    }

    /// The entry with all flags of interest: as with epoll(7), an event includes every flag that is
    /// set.
    var wholeQuestion: pollfd {
        pollfd(fd: fd, flags: interest)
    }

    /// Returns the event for the flags that are ready, or `nil` if no flag is new.
    mutating func event(of answer: UInt32) -> SystemEvent? {
        var ready = answer
        // Both directions are closed, so a write fails rather than blocks, even without room. After
        // this, only an error or the reopening of a FIFO can be new.
        if mode == .edge, ready & EPOLLHUP.rawValue != 0 { ready |= interest & EPOLLOUT.rawValue }
        guard ready & ~reported != 0 else {
            // poll(2) always reports hang-ups and errors, so it would return at once on each call.
            isSilent = ready & (EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0
            return nil
        }
        switch mode {
        case .edge: reported |= ready
        case .oneShot, .edgeOneShot: isSilent = true
        case .level, .exclusive: break
        }
        // This cannot fail: a descriptor is removed from the table before it is closed.
        if isCounter { try? EventCounter.reset(fd) }
        return SystemEvent(mask: ready, token: UInt64(bitPattern: Int64(token.rawValue)))
    }

    /// Polls for reported flags again; returns whether the registration changed.
    mutating func rearm(_ flags: UInt32) -> Bool {
        guard mode == .edge, isSilent || reported & flags != 0 else { return false }
        reported &= ~flags
        isSilent = false
        return true
    }
}

extension pollfd {
    fileprivate init(fd: CInt, flags: UInt32) {
        self.init(fd: fd, events: Int16(truncatingIfNeeded: flags), revents: 0)
    }

    /// The flags that poll(2) returned.
    var answer: UInt32 { UInt32(UInt16(bitPattern: revents)) }
}
#endif
