import SystemPackage
import TestSupport
import Testing

@Suite("The async-chat example")
final class ChatExampleTests {
    private let server: Program
    private let port: UInt16

    init() throws {
        server = try Program("async-chat", ["127.0.0.1:0"])
        port = try portOfGreeting(of: server)
    }

    /// Receives text of a known length.
    private func expect(_ text: String, by member: borrowing Client) throws {
        let received = try member.receive(exactly: text.utf8.count)
        #expect(String(decoding: received, as: UTF8.self) == text)
    }

    @Test("each line is sent to all other members, who learn of arrivals and departures")
    func chats() throws {
        try requireProgram("socat")
        let first = try Client(port: port)
        try expect("* you are 1\n", by: first)
        let second = try Client(port: port)
        try expect("* you are 2\n", by: second)
        try expect("* 2 joined\n", by: first)

        try first.send("hel")
        try first.send("lo\nall of you\n")
        try expect("1: hello\n1: all of you\n", by: second)
        _ = try shell("printf 'hi\\n' | socat -t 0 - TCP:127.0.0.1:\(port)")
        try expect("* 3 joined\n3: hi\n* 3 left\n", by: first)
        try second.finishSending()
        try expect("* 3 joined\n3: hi\n* 3 left\n", by: second)
        #expect(try second.receiveToEnd().isEmpty)
        try expect("* 2 left\n", by: first)
    }

    @Test("a member that does not read is removed, and the others are unaffected")
    func removesSlowMembers() throws {
        let lazy = try Client(port: port)
        try expect("* you are 1\n", by: lazy)
        let keen = try Client(port: port)
        try expect("* you are 2\n", by: keen)
        let talker = try Client(port: port)
        try expect("* you are 3\n", by: talker)
        try expect("* 3 joined\n", by: keen)

        // In step with the keen member, whose queue never fills up however busy the machine is.
        let line = Array(repeating: UInt8(ascii: "x"), count: 4000) + [UInt8(ascii: "\n")]
        let news = Array("* 1 left\n".utf8)
        var isRemoved = false
        for _ in 0..<20_000 where !isRemoved {
            try talker.send(line)
            isRemoved = try keen.receive(exactly: "3: ".utf8.count + line.count).starts(with: news)
        }
        #expect(isRemoved)
        #expect(try lazy.receiveToEnd().count > 4000)
    }

    @Test("a member whose line is too long is removed")
    func removesLongLines() throws {
        let member = try Client(port: port)
        try expect("* you are 1\n", by: member)
        let witness = try Client(port: port)
        try expect("* you are 2\n", by: witness)
        try member.send(Array(repeating: UInt8(ascii: "x"), count: 9000))
        try expect("* 1 left\n", by: witness)
    }

    @Test("many short lines at once remove nobody who reads")
    func keepsReaders() throws {
        let talker = try Client(port: port)
        try expect("* you are 1\n", by: talker)
        let reader = try Client(port: port)
        try expect("* you are 2\n", by: reader)
        try talker.send(String(repeating: "\n", count: 2000))
        try expect(String(repeating: "1: \n", count: 2000), by: reader)
    }
}
