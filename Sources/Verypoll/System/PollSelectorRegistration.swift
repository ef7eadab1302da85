#if PollSelector
internal import CVerypoll
internal import Glibc
internal import SystemPackage

/// A descriptor that poll(2) is asked about, and what it is still asked for.
struct PollSelectorRegistration {
    let fd: CInt
    let token: Token
    let interest: UInt32
    let mode: RegistrationMode

    /// Whether it is an eventfd(2), to be reset when it is reported.
    var isCounter = false

    /// In edge mode, what was reported and is not to be again, until notice comes that it is
    /// used up.
    private var reported: UInt32 = 0

    /// Whether poll(2) is not asked at all for now.
    private var isSilent = false

    init(_ fd: CInt, token: Token, interest: Interest, mode: RegistrationMode) {
        self.fd = fd
        self.token = token
        self.interest = interest.flags(in: mode)
        self.mode = mode
    }

    /// What to wait for.
    var question: pollfd {
        pollfd(fd: isSilent ? -1 : fd, flags: interest & ~reported)
    }

    /// All that the source is watched for: as with epoll(7), news brings what else is ready along.
    var wholeQuestion: pollfd {
        pollfd(fd: fd, flags: interest)
    }

    /// Takes what is ready, and returns the event if there is news in it.
    mutating func event(of answer: UInt32) -> SystemEvent? {
        var ready = answer
        // Both ways are closed, so a write fails rather than blocks, though there be no room yet.
        // After this there is no more to tell than an error, or a FIFO that is opened anew.
        if mode == .edge, ready & EPOLLHUP.rawValue != 0 { ready |= interest & EPOLLOUT.rawValue }
        guard ready & ~reported != 0 else {
            // poll(2) tells of hang-ups and errors whether asked or not, and would at each call.
            isSilent = ready & (EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0
            return nil
        }
        switch mode {
        case .edge: reported |= ready
        case .oneShot, .edgeOneShot: isSilent = true
        case .level, .exclusive: break
        }
        // It can't fail: whoever closes the descriptor takes it off the table first.
        if isCounter { try? EventCounter.reset(fd) }
        return SystemEvent(mask: ready, token: UInt64(bitPattern: Int64(token.rawValue)))
    }

    /// Asks again for what was reported; returns whether that makes a difference.
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

    /// What poll(2) has answered.
    var answer: UInt32 { UInt32(UInt16(bitPattern: revents)) }
}
#endif
