public import SystemPackage

/// Adds sources to a ``Poll`` and removes them.
public struct Registry: ~Copyable, Sendable {
    let selector: Selector

    /// Starts watching `source`; its events carry `token`.
    ///
    /// - Parameters:
    ///   - source: What to watch. The registry keeps nothing of it.
    ///   - token: What its events are to carry.
    ///   - interest: What to watch it for; empty is a programmer's error and traps.
    ///   - mode: How often it is reported while it is ready.
    /// - Throws: `Errno.fileExists` if the source is registered here already. See epoll_ctl(2).
    @inlinable
    public func register(
        _ source: borrowing some Source & ~Copyable,
        token: Token,
        interest: Interest,
        mode: RegistrationMode = .edge
    ) throws(Errno) {
        precondition(!interest.isEmpty, "empty interest")
        precondition(
            mode != .exclusive || !interest.contains(.priority),
            "priority cannot be watched for in exclusive mode"
        )
        try source.register(with: self, token: token, interest: interest, mode: mode)
    }

    /// Replaces the token, the interest and the mode of a registered source.
    ///
    /// What is ready already is reported once more, so nothing is lost by doing it late.
    ///
    /// - Parameters:
    ///   - source: A source that is registered here, and not in the mode `exclusive`.
    ///   - token: What its events are to carry from now on.
    ///   - interest: What to watch it for; empty is a programmer's error and traps.
    ///   - mode: How often it is reported while it is ready; `exclusive` traps, as the kernel
    ///     takes that mode only for a new source.
    /// - Throws: `Errno.noSuchFileOrDirectory` if it is not registered here,
    ///   `Errno.invalidArgument` if it was registered as exclusive. See epoll_ctl(2).
    @inlinable
    public func reregister(
        _ source: borrowing some Source & ~Copyable,
        token: Token,
        interest: Interest,
        mode: RegistrationMode = .edge
    ) throws(Errno) {
        precondition(!interest.isEmpty, "empty interest")
        precondition(mode != .exclusive, "exclusive mode is for registering only")
        try source.reregister(with: self, token: token, interest: interest, mode: mode)
    }

    /// Stops watching `source`, as closing it does, unless a duplicate of its descriptor is open.
    ///
    /// - Throws: `Errno.noSuchFileOrDirectory` if it is not registered here.
    @inlinable
    public func deregister(_ source: borrowing some Source & ~Copyable) throws(Errno) {
        try source.deregister(from: self)
    }

    /// A second handle of the same poll, to keep where this one cannot be borrowed.
    ///
    /// It may outlive the poll; then what is registered through it is reported to nobody.
    ///
    /// - Throws: `Errno.tooManyOpenFiles` if out of descriptors. See fcntl(2).
    public func clone() throws(Errno) -> Registry {
        Registry(selector: try selector.clone())
    }
}

/// What sources of one descriptor do; as functions of their own, so that all else is inlined into
/// the caller, and the way to the kernel is short.
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
