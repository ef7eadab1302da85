internal import Synchronization
package import SystemPackage
package import Verypoll

/// A bounded queue of messages to one thread, which is woken from its poll when a message arrives.
package final class Mailbox<Message: Sendable>: Sendable {
    /// The most messages in the queue, apart from those of ``postBeyondLimit(_:)``; senders such as
    /// the control socket and the watchdog send few.
    package static var limit: Int { 1024 }

    fileprivate let messages = Mutex<[Message]>([])
    fileprivate let waker: Waker

    /// Makes the mailbox of the thread that polls `registry`; its wake-ups carry `token`.
    package init(registry: borrowing Registry, token: Token) throws(Errno) {
        waker = try Waker(registry: registry, token: token)
    }

    /// Makes a second mailbox for the owner of `other`; both wake the owner with the same token.
    package init<Other>(besides other: Mailbox<Other>) {
        waker = other.waker
    }

    /// Queues a message and wakes the owner.
    ///
    /// - Returns: Whether the queue had room for the message.
    @discardableResult
    package func post(_ message: Message) -> Bool {
        append(message, limit: Self.limit)
    }

    /// Queues a message even if the mailbox is full, and wakes the owner.
    ///
    /// Only for a message that must not be lost and whose sender has at most one in the mailbox, so
    /// that the mailbox stays bounded.
    package func postBeyondLimit(_ message: Message) {
        append(message, limit: .max)
    }

    @discardableResult
    private func append(_ message: Message, limit: Int) -> Bool {
        let (isFirst, isTaken) = messages.withLock { messages in
            guard messages.count < limit else { return (false, false) }
            messages.append(message)
            return (messages.count == 1, true)
        }
        // A wake-up fails only if the eventfd is closed, and it lives as long as this object.
        if isFirst { try? waker.wake() }
        return isTaken
    }

    /// Removes and returns all messages, in the order in which they were queued.
    package func takeAll() -> [Message] {
        messages.withLock { messages in
            defer { messages.removeAll() }
            return messages
        }
    }
}

extension Mailbox where Message: Equatable {
    /// Queues a message unless an equal one is already queued.
    ///
    /// Only for messages that mean the same when sent once or twice. A sender that repeats itself
    /// cannot fill the mailbox of a busy owner.
    package func postOnce(_ message: Message) {
        guard messages.withLock({ !$0.contains(message) }) else { return }
        post(message)
    }
}
