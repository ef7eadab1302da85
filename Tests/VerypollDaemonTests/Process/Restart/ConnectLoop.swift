internal import Synchronization
internal import SystemPackage
internal import TestSupport

/// Clients that connect to several addresses in turn until they are stopped.
final class ConnectLoop: Sendable {
    private let isOver = Atomic(false)
    private let connected = Atomic(0)
    private let failed = Mutex<[String]>([])
    private let work = Mutex<ConcurrentWork<Void>?>(nil)

    /// Starts the clients.
    ///
    /// - Parameters:
    ///   - addresses: The addresses to connect to.
    ///   - isTalking: Whether each client waits for an echo instead of closing at once.
    ///   - expectsBreaks: Whether an established connection may break, as in a crash.
    init(_ addresses: [String], isTalking: Bool, expectsBreaks: Bool) {
        let work = ConcurrentWork { [self] in
            while !isOver.load(ordering: .relaxed) {
                for address in addresses {
                    visit(address, isTalking: isTalking, expectsBreaks: expectsBreaks)
                }
                pause(milliseconds: 2)
            }
        }
        self.work.withLock { $0 = work }
    }

    private func visit(_ address: String, isTalking: Bool, expectsBreaks: Bool) {
        do throws(Errno) {
            let client = try Client(address: address)
            connected.add(1, ordering: .relaxed)
            guard isTalking else { return }
            do throws(Errno) {
                try client.send("loop")
                let answer = try client.receive(exactly: 4)
                if answer != Array("loop".utf8), !expectsBreaks { note("\(address): no echo") }
            } catch {
                if !expectsBreaks { note("\(address): broken: \(error)") }
            }
        } catch {
            note("\(address): not connected: \(error)")
        }
    }

    private func note(_ failure: String) {
        failed.withLock { $0.append(failure) }
    }

    /// How many connections were made.
    var count: Int { connected.load(ordering: .relaxed) }

    /// Stops the clients; returns the failures.
    func end() throws -> [String] {
        isOver.store(true, ordering: .relaxed)
        try work.withLock { $0 }?.join()
        return failed.withLock { $0 }
    }
}
