internal import Glibc
internal import Synchronization
internal import SystemPackage
internal import TestSupport

/// Clients that each send a few bytes and then nothing until the daemon disconnects them.
final class Attack: Sendable {
    private struct State: Sendable {
        var startedCount = 0
        var endedCount = 0
        var isOver = false
    }

    private let state = Mutex(State())
    private let port: UInt16
    private let count: Int
    private let bytes: [UInt8]

    /// Makes an attack, which is not yet started.
    ///
    /// - Parameters:
    ///   - port: The port of 127.0.0.1 to attack.
    ///   - count: The number of clients.
    ///   - bytes: The bytes that each client sends.
    init(port: UInt16, count: Int, sending bytes: [UInt8]) {
        self.port = port
        self.count = count
        self.bytes = bytes
    }

    /// How many clients have connected.
    var startedCount: Int { state.withLock { $0.startedCount } }

    /// How many clients were disconnected, by end of file or a reset.
    var endedCount: Int { state.withLock { $0.endedCount } }

    /// Connects all clients, as fast as the backlog allows, while `body` runs; then disconnects the
    /// remaining ones.
    func run(_ body: () throws -> Void) throws {
        let work = ConcurrentWork { [self] in try attack() }
        let outcome = Result { try body() }
        state.withLock { $0.isOver = true }
        try work.join()
        try outcome.get()
    }

    private func attack() throws {
        var clients: [Held] = []
        for index in 0..<count where !state.withLock({ $0.isOver }) {
            let client = Held(try Client(port: port))
            try client.client.send(bytes)
            clients.append(client)
            state.withLock { $0.startedCount += 1 }
            if index % 100 == 0 { try removeEnded(&clients, waiting: 0) }
        }
        while !state.withLock({ $0.isOver }) { try removeEnded(&clients, waiting: 20) }
    }

    /// Waits up to `timeout` milliseconds until at least one client is disconnected.
    private func removeEnded(_ clients: inout [Held], waiting timeout: Int32) throws {
        var entries = clients.map {
            pollfd(fd: $0.client.descriptor.rawValue, events: Int16(POLLIN), revents: 0)
        }
        guard unsafe poll(&entries, nfds_t(entries.count), timeout) >= 0 else {
            throw Errno(rawValue: errno)
        }
        var ended: [Int] = []
        for (index, entry) in entries.enumerated() where entry.revents != 0 {
            if try isEnded(clients[index]) { ended.append(index) }
        }
        for index in ended.reversed() { clients.remove(at: index) }
        state.withLock { $0.endedCount += ended.count }
    }

    private func isEnded(_ held: Held) throws -> Bool {
        do throws(Errno) {
            return try held.client.receiveNow()?.isEmpty ?? false
        } catch .connectionReset {
            return true
        }
    }
}
