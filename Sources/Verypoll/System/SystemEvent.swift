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

    /// Both halves are down, or the peer's FIN arrived (`EPOLLRDHUP` alone can be stale).
    var isReadClosed: Bool { has(EPOLLHUP) || (has(EPOLLIN) && has(EPOLLRDHUP)) }

    /// Both halves are down, or the reader of a pipe went away (`EPOLLERR` beside `EPOLLOUT`).
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
    /// The flags to ask the kernel for.
    ///
    /// A reader also asks for `EPOLLRDHUP`, so that a peer's half-close reaches it as an event;
    /// the kernel refuses that flag beside `EPOLLEXCLUSIVE`.
    func flags(in mode: RegistrationMode) -> UInt32 {
        var flags: UInt32 = 0
        if contains(.readable) { flags |= EPOLLIN.rawValue }
        if contains(.readable), mode != .exclusive { flags |= EPOLLRDHUP.rawValue }
        if contains(.writable) { flags |= EPOLLOUT.rawValue }
        if contains(.priority) { flags |= EPOLLPRI.rawValue }
        return flags
    }
}
