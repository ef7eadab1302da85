internal import Glibc
public import SystemPackage
internal import Verypoll

extension SourceHandle {
    /// Begins a cancellation scope for the directions of the handle.
    ///
    /// - Returns: The number of the scope, or `nil` if there is one already or if the task runs on
    ///   another thread, where each wait has its own handler.
    func beginScope() -> UInt32? {
        guard isCurrent else { return nil }
        let reads = onlyDirection != .write
        let writes = onlyDirection != .read
        if reads && slot.value.reader.scope != 0 || writes && slot.value.writer.scope != 0 {
            return nil
        }
        let scope = slot.value.nextOperation()
        if reads { slot.value.reader.scope = scope }
        if writes { slot.value.writer.scope = scope }
        return scope
    }

    /// Adds the operations of a new connection to a scope of many sources.
    ///
    /// If the executor has ended, the task runs elsewhere, and its waits are canceled anyway.
    func enterScope(_ scope: UInt32) {
        guard isCurrent else { return }
        slot.value.reader.scope = scope
        slot.value.writer.scope = scope
    }

    /// Cancels the operations of a connection in a scope of many sources.
    func cancelServeScope(_ scope: UInt32) {
        _ = core.post(.cancelScope(key, scope))
    }

    /// Ends a scope.
    ///
    /// A cancellation message that is still on its way no longer finds it.
    func endScope(_ scope: UInt32) {
        if isCurrent || !core.post(.endScope(key, scope)) { slot.endScope(scope) }
    }

    /// Cancels the operations of a scope, from any thread.
    ///
    /// Called with a lock of the task held, so nothing is resumed here.
    func cancelScope(_ scope: UInt32) {
        _ = core.post(.cancelScope(key, scope))
    }

    /// Waits until a call in a direction would not block.
    @usableFromInline
    func waitUntilReady(
        _ direction: Direction,
        until deadline: Deadline
    ) async throws(Errno) {
        var attempt = Attempt()
        while true {
            try await begin(direction, &attempt, until: deadline)
            if try isReady(direction) { return }
            block(direction, &attempt)
        }
    }

    /// Asks the kernel whether a call in a direction would not block; see poll(2).
    private func isReady(_ direction: Direction) throws(Errno) -> Bool {
        let events = direction == .read ? POLLIN | readHangup : POLLOUT
        let source = WatchedDescriptor(fileDescriptor: descriptor)
        let count = try source.withDescriptor { descriptor throws(Errno) in
            var request = pollfd(fd: descriptor.rawValue, events: Int16(events), revents: 0)
            let count = unsafe Glibc.poll(&request, 1, 0)
            if count < 0 { throw Errno(rawValue: errno) }
            if count == 0 { throw .wouldBlock }
            return count
        }
        return count != nil
    }
}

/// `POLLRDHUP`, which Swift's Glibc module lacks; see poll(2).
private let readHangup: CInt = 0x2000
