public import SystemPackage
public import Verypoll

extension AsyncTCPStream {
    /// Connects to an address.
    ///
    /// - Parameters:
    ///   - address: The address of the listener.
    ///   - executor: The executor of the connection.
    ///   - deadline: When to stop waiting. By default, the kernel decides, which stops after about
    ///     two minutes with `Errno.timedOut`.
    /// - Returns: The connection.
    /// - Throws: `Errno.connectionRefused`, `Errno.networkUnreachable` or another error of
    ///   connect(2), `Errno.canceled`, `Errno.deadlineExceeded`.
    public static func connect(
        to address: SocketAddress,
        on executor: PollExecutor,
        until deadline: Deadline = .never
    ) async throws(Errno) -> AsyncTCPStream {
        let stream = try AsyncTCPStream(TCPStream(connectingTo: address), on: executor)
        _ = try await stream.handle.perform(.write, until: deadline) { () throws(Errno) -> Void? in
            try stream.socket.finishConnect() == .connected ? () : nil
        }
        return stream
    }

    /// Connects to whichever of several addresses of one server answers first ("happy eyeballs",
    /// RFC 8305).
    ///
    /// The first attempt starts at once, and each further one when an attempt has failed or
    /// `stagger` has passed since the latest start. IPv6 and IPv4 alternate, beginning with the
    /// family of the first address; otherwise the order is kept. Attempts that are not needed
    /// anymore are closed.
    ///
    /// - Parameters:
    ///   - addresses: The addresses, the best first. Traps if there are none.
    ///   - stagger: The time between starts; RFC 8305 recommends 250 ms.
    ///   - executor: The executor of the connection.
    ///   - deadline: When to stop waiting. By default, the kernel decides.
    /// - Returns: The first connection.
    /// - Throws: If all attempts fail, the error of the first that failed.
    public static func connect(
        toAnyOf addresses: [SocketAddress],
        stagger: Duration = .milliseconds(250),
        on executor: PollExecutor,
        until deadline: Deadline = .never
    ) async throws(Errno) -> AsyncTCPStream {
        precondition(!addresses.isEmpty, "the list of addresses must not be empty")
        let race = ConnectRace(
            addresses: addresses.alternatingFamilies(),
            stagger: stagger,
            executor: executor,
            deadline: deadline
        )
        let winner = try await race.run()
        return try AsyncTCPStream(TCPStream(adopting: OwnedFD(adopting: winner)), on: executor)
    }
}

extension [SocketAddress] {
    /// Returns the addresses with IPv6 and IPv4 in turn, as long as there are both.
    func alternatingFamilies() -> [SocketAddress] {
        guard let first else { return [] }
        let preferred = filter { $0.ip.family == first.ip.family }
        let others = filter { $0.ip.family != first.ip.family }
        var result: [SocketAddress] = []
        for index in 0..<Swift.max(preferred.count, others.count) {
            if index < preferred.count { result.append(preferred[index]) }
            if index < others.count { result.append(others[index]) }
        }
        return result
    }
}

/// Attempts to connect to several addresses, of which the first that succeeds is used.
private struct ConnectRace {
    let addresses: [SocketAddress]
    let stagger: Duration
    let executor: PollExecutor
    let deadline: Deadline

    /// The news from a child task.
    ///
    /// Tasks cannot return noncopyable values, so a connection is
    /// passed as its descriptor, which the receiver owns.
    private enum News {
        case connected(FileDescriptor)
        case failed(Errno)
        /// The pause after the start of an attempt is over.
        case paused(after: Int)
    }

    func run() async throws(Errno) -> FileDescriptor {
        let result = await withTaskGroup(of: News.self) { group in
            let result = await race(&group)
            group.cancelAll()
            for await case .connected(let loser) in group { _ = OwnedFD(adopting: loser) }
            return result
        }
        return try result.get()
    }

    private func race(_ group: inout TaskGroup<News>) async -> Result<FileDescriptor, Errno> {
        var started = 0
        var failed = 0
        var firstFailure: Errno?
        start(0, in: &group)
        started = 1
        while let news = await group.next() {
            switch news {
            case .connected(let descriptor):
                return .success(descriptor)
            case .failed(let error):
                failed += 1
                firstFailure = firstFailure ?? error
                if failed == addresses.count || error == .canceled {
                    return .failure(error == .canceled ? error : firstFailure ?? error)
                }
                guard started < addresses.count else { continue }
            case .paused(let attempt):
                guard attempt == started - 1, started < addresses.count else { continue }
            }
            start(started, in: &group)
            started += 1
        }
        return .failure(firstFailure ?? .canceled)
    }

    private func start(_ index: Int, in group: inout TaskGroup<News>) {
        group.addTask(executorPreference: executor) {
            do throws(Errno) {
                let address = addresses[index]
                let stream = try await AsyncTCPStream.connect(
                    to: address,
                    on: executor,
                    until: deadline
                )
                return .connected(stream.release().release().release())
            } catch {
                return .failed(error)
            }
        }
        guard index + 1 < addresses.count else { return }
        group.addTask(executorPreference: executor) {
            do throws(Errno) {
                try await executor.sleep(until: .now + stagger)
            } catch {
                // Canceled, as the race is decided; or out of places, so that the next attempt
                // starts early.
            }
            return .paused(after: index)
        }
    }
}
