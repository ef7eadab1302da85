internal import Synchronization
internal import SystemPackage
internal import Verypoll

/// The place of a source in its executor, for the library's own use.
///
/// It refers to the source without owning it, so a copy costs nothing, and is valid while the
/// source exists.
public struct SourceHandle: Sendable {
    let core: ThreadReference<ExecutorCore>
    let slot: ThreadReference<SourceSlot>
    let key: SourceKey
    // Constants of the source are here too, because other threads may not read the slot.
    let descriptor: FileDescriptor
    let kind: SourceKind
    /// The one direction that a half of a connection uses.
    var onlyDirection: Direction?

    @inline(__always) var isCurrent: Bool { core.isCurrent }

    @inline(__always)
    func waiter(_ direction: Direction) -> ThreadReference<Waiter> { slot.waiter(direction) }
}

/// The registration of a source with its executor; it ends with its scope.
struct Registration: ~Copyable, Sendable {
    let executor: PollExecutor
    let handle: SourceHandle

    /// Registers a source.
    ///
    /// - Throws: `Errno.tooManyOpenFiles` if the executor is at its limit of sources. See
    ///   epoll_ctl(2).
    init(
        _ source: borrowing some DescriptorSource & ~Copyable,
        _ kind: SourceKind = .other,
        interest: Interest = .readable,
        on executor: PollExecutor
    ) throws(Errno) {
        let handle = try executor.handle(source.fileDescriptor, kind)
        if interest.contains(.writable) { handle.slot.value.watchesWrites = true }
        do throws(Errno) {
            try handle.watch(source, interest)
        } catch {
            handle.remove()
            throw error
        }
        self.executor = executor
        self.handle = handle
    }

    /// Reserves the place of a timer, which has no descriptor.
    init(timerOn executor: PollExecutor) throws(Errno) {
        let handle = try executor.handle(FileDescriptor(rawValue: -1), .other)
        handle.slot.value.reader.isBlocked = true
        self.executor = executor
        self.handle = handle
    }

    deinit {
        handle.remove()
    }
}

extension Registration {
    /// Returns the handle of a half of a connection.
    func handle(only direction: Direction) -> SourceHandle {
        var half = handle
        half.onlyDirection = direction
        return half
    }
}

extension PollExecutor {
    /// Reserves the place of a source.
    fileprivate func handle(
        _ descriptor: FileDescriptor,
        _ kind: SourceKind
    ) throws(Errno) -> SourceHandle {
        let (key, slot) = try core.value.sources.add(descriptor, kind)
        return SourceHandle(
            core: core,
            slot: slot,
            key: key,
            descriptor: descriptor,
            kind: kind
        )
    }
}

extension SourceHandle {
    /// Makes the poll watch the source.
    fileprivate func watch(
        _ source: borrowing some DescriptorSource & ~Copyable,
        _ interest: Interest
    ) throws(Errno) {
        let token = key.token
        do throws(Errno) {
            try core.value.registry.register(source, token: token, interest: interest)
        } catch .fileExists {
            // The executor closed this socket before, but a duplicate kept it open, and now it came
            // back under its old number, for example over a Unix-domain socket. The kernel still
            // has the old registration, whose events no longer find their slot.
            try core.value.registry.reregister(source, token: token, interest: interest)
        }
    }

    /// Ends the registration of a source that stays open.
    func deregister() {
        do throws(Errno) {
            try core.value.registry.deregister(WatchedDescriptor(fileDescriptor: descriptor))
        } catch {
            preconditionFailure("a source of the executor cannot be deregistered: \(error)")
        }
    }

    /// Frees the place of the source.
    fileprivate func remove() {
        if isCurrent || !core.post(.remove(key)) { core.remove(key) }
    }
}

extension ThreadReference<SourceSlot> {
    /// Ensures that the poll watches for writability.
    @inline(never)
    func watchWrites(in core: ThreadReference<ExecutorCore>, _ key: SourceKey) {
        guard !value.watchesWrites else { return }
        value.watchesWrites = true
        do throws(Errno) {
            let source = WatchedDescriptor(fileDescriptor: value.descriptor)
            let urgent: Interest = value.kind == .tcpStream ? .priority : []
            let interest = urgent.union([.readable, .writable])
            try core.value.registry.reregister(source, token: key.token, interest: interest)
        } catch {
            preconditionFailure("a source of the executor cannot be watched: \(error)")
        }
    }

    /// Ends a cancellation scope.
    func endScope(_ scope: UInt32) {
        waiter(.read).endScope(scope)
        waiter(.write).endScope(scope)
    }
}

extension ThreadReference<Waiter> {
    fileprivate func endScope(_ scope: UInt32) {
        guard value.scope == scope else { return }
        value.scope = 0
        value.isCanceled = false
    }
}

/// The descriptor of a source whose socket is out of reach.
struct WatchedDescriptor: DescriptorSource {
    let fileDescriptor: FileDescriptor
}
