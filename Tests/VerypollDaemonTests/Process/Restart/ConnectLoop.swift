internal import Synchronization
internal import SystemPackage
internal import TestSupport

/// Clients that connect to several addresses, one after the other, until they are told to end.
final class ConnectLoop: Sendable {
    private let isOver = Atomic(false)
    private let connected = Atomic(0)
    private let failed = Mutex<[String]>([])
    private let work = Mutex<ConcurrentWork<Void>?>(nil)

    /// Begins.
    ///
    /// - Parameters:
    ///   - addresses: Where they connect.
    ///   - isTalking: Whether each waits for an echo, else it closes at once.
    ///   - expectsBreaks: Whether a connection may break after it was made, as in a crash.
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

    /// How often a client was connected.
    var count: Int { connected.load(ordering: .relaxed) }

    /// Ends; returns what went wrong.
    func end() throws -> [String] {
        isOver.store(true, ordering: .relaxed)
        try work.withLock { $0 }?.join()
        return failed.withLock { $0 }
    }
}
