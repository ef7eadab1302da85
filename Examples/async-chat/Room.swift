import Synchronization

/// The members of the chat.
///
/// Tasks share it through a lock. The compiler checks that every access has the lock, and that no
/// access waits while it has it. As long as all tasks run on one executor, the lock is always free.
/// An actor would be correct too, but each call would suspend the caller.
final class Room: Sendable {
    /// A line with its line break.
    typealias Line = [UInt8]

    /// The lines for one member, in order; it ends when the member has left the room.
    typealias Queue = AsyncStream<Line>

    /// The most lines that wait for a member that reads more slowly than the others write.
    static let longestQueue = 64

    private struct State {
        var members: [Int: Queue.Continuation] = [:]
        var nextNumber = 0
    }

    private let state = Mutex(State())

    /// Adds a member, and returns its number and its queue.
    func join() -> (number: Int, queue: Queue) {
        let (queue, continuation) = Queue.makeStream(
            bufferingPolicy: .bufferingOldest(Self.longestQueue)
        )
        let number = state.withLock { state in
            state.nextNumber += 1
            state.members[state.nextNumber] = continuation
            return state.nextNumber
        }
        continuation.yield(Array("* you are \(number)\n".utf8))
        broadcast("* \(number) joined", except: number)
        return (number, queue)
    }

    /// Removes a member, unless it was removed already.
    func leave(_ number: Int) {
        let member = state.withLock { $0.members.removeValue(forKey: number) }
        guard let member else { return }
        member.finish()
        broadcast("* \(number) left", except: number)
    }

    /// Sends a line of a member to all others.
    func send(_ text: String, from sender: Int) {
        guard state.withLock({ $0.members[sender] != nil }) else { return }
        broadcast("\(sender): \(text)", except: sender)
    }

    /// Sends a line to all members but one, and removes members whose queue is full.
    private func broadcast(_ text: String, except excluded: Int) {
        let line = Array((text + "\n").utf8)
        // Copied, because a member must not be removed, or resumed, while the lock is held.
        let members = state.withLock { $0.members }
        var slow: [Int] = []
        for (number, member) in members where number != excluded {
            if case .dropped = member.yield(line) { slow.append(number) }
        }
        for number in slow { leave(number) }
    }
}
