internal import Synchronization
package import SystemPackage
package import Verypoll

/// How threads talk: a bounded queue of messages whose owner is woken from its poll.
package final class Mailbox<Message: Sendable>: Sendable {
    /// The most messages that wait; the control socket's clients and the watchdog send few.
    package static var limit: Int { 1024 }

    fileprivate let messages = Mutex<[Message]>([])
    fileprivate let waker: Waker

    /// Makes the mailbox of whoever polls `registry`; its wake-ups carry `token`.
    package init(registry: borrowing Registry, token: Token) throws(Errno) {
        waker = try Waker(registry: registry, token: token)
    }

    /// Makes another mailbox of the owner of `other`, who is woken by the same token for both.
    package init<Other>(besides other: Mailbox<Other>) {
        waker = other.waker
    }

    /// Leaves a message and wakes the owner.
    ///
    /// - Returns: Whether there was room for it.
    @discardableResult
    package func post(_ message: Message) -> Bool {
        let (isFirst, isTaken) = messages.withLock { messages in
            guard messages.count < Self.limit else { return (false, false) }
            messages.append(message)
            return (messages.count == 1, true)
        }
        // A wake-up fails only where the eventfd is gone, and it lives as long as this object.
        if isFirst { try? waker.wake() }
        return isTaken
    }

    /// Leaves a message, and waits while there is no room for it; only for threads whose message
    /// must not be lost, and that nobody waits for.
    package func postWhenRoom(_ message: Message) {
        while !post(message) { Thread.pause(nanoseconds: 10_000_000) }
    }

    /// Takes all the messages, in the order they came.
    package func takeAll() -> [Message] {
        messages.withLock { messages in
            defer { messages.removeAll() }
            return messages
        }
    }
}

extension Mailbox where Message: Equatable {
    /// Leaves a message that says no more the second time, unless it waits here already.
    ///
    /// So a sender that never tires cannot fill the mailbox of a busy owner.
    package func postOnce(_ message: Message) {
        guard messages.withLock({ !$0.contains(message) }) else { return }
        post(message)
    }
}
