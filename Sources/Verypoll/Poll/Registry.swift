public import SystemPackage

/// Adds sources to a ``Poll`` and removes them.
public struct Registry: ~Copyable, Sendable {
    let selector: Selector

    /// Starts watching `source`; its events carry `token`.
    ///
    /// - Parameters:
    ///   - source: The source to watch. The registry does not retain it.
    ///   - token: The token that its events carry.
    ///   - interest: The readiness to watch for. Traps if empty.
    ///   - mode: How often the source is reported while it is ready. `exclusive` with `priority`
    ///     traps.
    /// - Throws: `Errno.fileExists` if the source is already registered with this poll. See
    ///   epoll_ctl(2).
    @inlinable
    public func register(
        _ source: borrowing some Source & ~Copyable,
        token: Token,
        interest: Interest,
        mode: RegistrationMode = .edge
    ) throws(Errno) {
        precondition(!interest.isEmpty, "the interest must not be empty")
        precondition(
            mode != .exclusive || !interest.contains(.priority),
            "exclusive mode does not support priority"
        )
        try source.register(with: self, token: token, interest: interest, mode: mode)
    }

    /// Replaces the token, the interest and the mode of a registered source.
    ///
    /// Readiness that already exists is reported again, so a late call loses no event.
    ///
    /// - Parameters:
    ///   - source: A source that is registered with this poll, in a mode other than `exclusive`.
    ///   - token: The token that its events carry from now on.
    ///   - interest: The readiness to watch for. Traps if empty.
    ///   - mode: How often the source is reported while it is ready. `exclusive` traps, because the
    ///     kernel accepts that mode only for a new source.
    /// - Throws: `Errno.noSuchFileOrDirectory` if the source is not registered with this poll,
    ///   `Errno.invalidArgument` if it was registered as exclusive. See epoll_ctl(2).
    @inlinable
    public func reregister(
        _ source: borrowing some Source & ~Copyable,
        token: Token,
        interest: Interest,
        mode: RegistrationMode = .edge
    ) throws(Errno) {
        precondition(!interest.isEmpty, "the interest must not be empty")
        precondition(mode != .exclusive, "a source cannot be reregistered in exclusive mode")
        try source.reregister(with: self, token: token, interest: interest, mode: mode)
    }

    /// Stops watching `source`.
    ///
    /// Closing the source does the same, unless a duplicate of its descriptor is open.
    ///
    /// - Throws: `Errno.noSuchFileOrDirectory` if the source is not registered with this poll.
    @inlinable
    public func deregister(_ source: borrowing some Source & ~Copyable) throws(Errno) {
        try source.deregister(from: self)
    }

    /// Returns a second handle to the same poll, for code that cannot borrow this one.
    ///
    /// The clone may outlive the poll. Sources that are registered after the poll is destroyed are
    /// never reported.
    ///
    /// - Throws: `Errno.tooManyOpenFiles` if the process is out of descriptors. See fcntl(2).
    public func clone() throws(Errno) -> Registry {
        Registry(selector: try selector.clone())
    }
}

/// Registers descriptors. Only these functions are not inlined, so a caller in another module
/// reaches the system call through a single function call.
extension Registry {
    @usableFromInline
    func add(
        _ fd: CInt,
        token: Token,
        interest: Interest,
        mode: RegistrationMode
    ) throws(Errno) {
        try selector.add(fd, token: token, interest: interest, mode: mode)
    }

    @usableFromInline
    func modify(
        _ fd: CInt,
        token: Token,
        interest: Interest,
        mode: RegistrationMode
    ) throws(Errno) {
        try selector.modify(fd, token: token, interest: interest, mode: mode)
    }

    @usableFromInline
    func delete(_ fd: CInt) throws(Errno) {
        try selector.delete(fd)
    }
}
