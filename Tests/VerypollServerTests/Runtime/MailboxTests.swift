import SystemPackage
import Testing
import Verypoll

@testable import VerypollConfiguration
@testable import VerypollServer

@Suite("Mailbox and Thread")
struct MailboxTests {
    @Test("messages of several threads arrive, in the order of each thread, with a wake-up")
    func delivers() throws {
        var poll = try Poll()
        let mailbox = try Mailbox<[Int]>(registry: poll.registry, token: Token(1))
        let threads = try (0..<4).map { sender in
            try Thread(name: "sender/\(sender)") {
                for number in 0..<100 { mailbox.post([sender, number]) }
            }
        }
        var events = Events(capacity: 4)
        var received: [[Int]] = []
        while received.count < 400 {
            try poll.poll(&events, timeout: .seconds(10))
            try #require(!events.isEmpty, "timed out")
            received += mailbox.takeAll()
        }
        for thread in threads { thread.join() }
        for sender in 0..<4 {
            #expect(received.filter { $0[0] == sender }.map { $0[1] } == Array(0..<100))
        }
    }

    @Test("a full mailbox refuses messages, except one that must not be lost")
    func limits() throws {
        let poll = try Poll()
        let mailbox = try Mailbox<Int>(registry: poll.registry, token: Token(1))
        for number in 0..<Mailbox<Int>.limit { #expect(mailbox.post(number)) }
        #expect(!mailbox.post(-1))
        mailbox.postBeyondLimit(-2)
        #expect(mailbox.takeAll() == Array(0..<Mailbox<Int>.limit) + [-2])
        #expect(mailbox.post(1))
    }

    @Test("postOnce queues an equal message again only after the first was taken")
    func coalesces() throws {
        let poll = try Poll()
        let mailbox = try Mailbox<Int>(registry: poll.registry, token: Token(1))
        for number in [7, 8, 7, 8, 7] { mailbox.postOnce(number) }
        #expect(mailbox.takeAll() == [7, 8])
        mailbox.postOnce(7)
        #expect(mailbox.takeAll() == [7])
    }
}
