internal import CVerypoll

/// One entry of the array that epoll_wait(2) fills; the flags of poll(2) have the same values.
typealias SystemEvent = cverypoll_event

extension SystemEvent {
    var flags: UInt32 { mask }
    var sourceToken: Token { Token(Int(truncatingIfNeeded: token)) }

    var isReadable: Bool { has(EPOLLIN) || has(EPOLLPRI) }
    var isWritable: Bool { has(EPOLLOUT) }
    var isError: Bool { has(EPOLLERR) }
    var isPriority: Bool { has(EPOLLPRI) }

    /// Whether both directions are shut down, or the peer's FIN arrived.
    ///
    /// `EPOLLRDHUP` alone can be stale.
    var isReadClosed: Bool { has(EPOLLHUP) || (has(EPOLLIN) && has(EPOLLRDHUP)) }

    /// Whether both directions are shut down, or a pipe has no reader (`EPOLLERR` with `EPOLLOUT`).
    var isWriteClosed: Bool {
        has(EPOLLHUP) || (has(EPOLLOUT) && has(EPOLLERR)) || mask == EPOLLERR.rawValue
    }

    /// The names of the flags that are set, as in `in|rdhup`.
    var flagNames: String {
        let names: [(EPOLL_EVENTS, String)] = [
            (EPOLLIN, "in"), (EPOLLPRI, "pri"), (EPOLLOUT, "out"), (EPOLLERR, "err"),
            (EPOLLHUP, "hup"), (EPOLLRDHUP, "rdhup"),
        ]
        return names.filter { has($0.0) }.map(\.1).joined(separator: "|")
    }

    private func has(_ flag: EPOLL_EVENTS) -> Bool { mask & flag.rawValue != 0 }
}

extension Interest {
    /// Returns the flags to request from the kernel.
    ///
    /// A reader also requests `EPOLLRDHUP`, so that a peer's half-close is an event. The kernel
    /// rejects that flag with `EPOLLEXCLUSIVE`.
    func flags(in mode: RegistrationMode) -> UInt32 {
        var flags: UInt32 = 0
        if contains(.readable) { flags |= EPOLLIN.rawValue }
        if contains(.readable), mode != .exclusive { flags |= EPOLLRDHUP.rawValue }
        if contains(.writable) { flags |= EPOLLOUT.rawValue }
        if contains(.priority) { flags |= EPOLLPRI.rawValue }
        return flags
    }
}
