import Foundation
import Synchronization
import SystemPackage
import Verypoll

/// A poll that checks each result against the expected events.
struct Polling: ~Copyable {
    var poll: Poll
    var events = Events(capacity: 16)

    init() throws(Errno) {
        poll = try Poll()
    }

    mutating func expectOne() throws(Errno) {
        try poll.poll(&events)
        precondition(events.count == 1, "\(events.count) events")
    }
}

func pollNothing(count: Int) throws {
    var polling = try Polling()
    for _ in 0..<count {
        try polling.poll.poll(&polling.events, timeout: .zero)
        precondition(polling.events.isEmpty)
    }
}

func register(count: Int) throws {
    let poll = try Poll()
    let pair = try UnixStream.pair()
    for _ in 0..<count {
        try poll.registry.register(pair.first, token: Token(1), interest: .readable)
        try poll.registry.reregister(
            pair.first,
            token: Token(1),
            interest: [.readable, .writable]
        )
        try poll.registry.deregister(pair.first)
    }
}

func wake(count: Int) throws {
    var polling = try Polling()
    let waker = try Waker(registry: polling.poll.registry, token: Token(1))
    for _ in 0..<count {
        try waker.wake()
        try polling.expectOne()
    }
}

/// Passes the waker of a poll to another thread.
private final class Mailbox: Sendable {
    let waker = Mutex<Waker?>(nil)
}

func wakeThread(count: Int) throws {
    var polling = try Polling()
    let mailbox = Mailbox()
    let waker = try Waker(registry: polling.poll.registry, token: Token(1))
    // Keeps the waker alive, because its last wake-up would be discarded with it.
    defer { withExtendedLifetime(waker) {} }
    startAnswerer(waking: waker, mailbox, count)
    // The first wake-up shows that the other thread's waker is available.
    try polling.expectOne()
    guard let other = mailbox.waker.withLock({ $0 }) else { fatalError("no waker") }
    for _ in 0..<count {
        try other.wake()
        try polling.expectOne()
    }
}

private func startAnswerer(waking other: Waker, _ mailbox: Mailbox, _ count: Int) {
    let thread = Thread {
        do {
            var polling = try Polling()
            let waker = try Waker(registry: polling.poll.registry, token: Token(1))
            mailbox.waker.withLock { $0 = waker }
            try other.wake()
            for _ in 0..<count {
                try polling.expectOne()
                try other.wake()
            }
        } catch {
            fatalError("\(error)")
        }
    }
    thread.start()
}
