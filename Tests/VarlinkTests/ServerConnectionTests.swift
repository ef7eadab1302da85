import StrictJSON
import Testing

@testable import Varlink

@Suite("ServerConnection")
struct ServerConnectionTests {
    private struct Text: Codable {
        var text: String
    }

    @Test("a call gets one reply, which omits empty parameters")
    func answers() throws {
        var connection = ServerConnection()
        connection.receive(wire(#"{"method":"a.b.C"}"#, #"{"method":"a.b.D"}"#))

        #expect(connection.nextCall()?.method == "a.b.C")
        connection.reply(Text(text: "a/b"))
        #expect(connection.nextCall()?.method == "a.b.D")
        connection.reply(NoParameters())

        #expect(connection.sentMessages() == [#"{"parameters":{"text":"a/b"}}"#, "{}"])
    }

    @Test("the next call waits until the previous one is answered")
    func keepsOrder() {
        var connection = ServerConnection()
        connection.receive(wire(#"{"method":"a.b.C"}"#, #"{"method":"a.b.D"}"#))

        #expect(connection.nextCall()?.method == "a.b.C")
        #expect(connection.isCallInProgress)
        #expect(connection.nextCall() == nil)
        #expect(!connection.wantsInput)
        connection.fail(.permissionDenied)
        #expect(connection.nextCall()?.method == "a.b.D")
        #expect(connection.callCount == 2)
    }

    @Test("calls split at any byte are the same calls")
    func splits() {
        let bytes = wire(
            #"{"method":"a.b.C","parameters":{"text":"ä"}}"#,
            #"{"method":"a.b.D","oneway":true}"#
        )
        for cut in 0...bytes.count {
            var connection = ServerConnection()
            var methods: [String] = []
            for part in [bytes[..<cut], bytes[cut...]] {
                connection.receive(part)
                while let call = connection.nextCall() {
                    methods.append(call.method)
                    connection.reply(NoParameters())
                }
            }
            #expect(methods == ["a.b.C", "a.b.D"], "split at \(cut)")
        }
    }

    @Test("a oneway call gets neither a reply nor an error")
    func staysSilent() {
        var connection = ServerConnection()
        let oneway = #"{"method":"a.b.C","oneway":true}"#
        connection.receive(wire(oneway, oneway, #"{"method":"a.b.D"}"#))

        #expect(connection.nextCall() != nil)
        connection.reply(Text(text: "unheard"))
        #expect(connection.nextCall() != nil)
        connection.fail(.permissionDenied)
        #expect(!connection.hasOutput)

        #expect(connection.nextCall()?.method == "a.b.D")
        connection.reply(NoParameters())
        #expect(connection.sentMessages() == ["{}"])
    }

    @Test("replies continue until the last one, and then the next call is processed")
    func continues() {
        var connection = ServerConnection()
        connection.receive(wire(#"{"method":"a.b.C","more":true}"#, #"{"method":"a.b.D"}"#))

        #expect(connection.nextCall()?.mode == .more)
        #expect(connection.acceptsMore)
        connection.reply(Text(text: "1"), continues: true)
        connection.reply(Text(text: "2"), continues: true)
        #expect(connection.nextCall() == nil)
        connection.reply(NoParameters())
        #expect(connection.nextCall()?.method == "a.b.D")
        #expect(!connection.acceptsMore)

        #expect(
            connection.sentMessages() == [
                #"{"continues":true,"parameters":{"text":"1"}}"#,
                #"{"continues":true,"parameters":{"text":"2"}}"#,
                "{}",
            ]
        )
    }

    @Test("an error ends a call with more replies, and does not set continues itself")
    func failsAfterContinuing() {
        var connection = ServerConnection()
        connection.receive(wire(#"{"method":"a.b.C","more":true}"#))
        #expect(connection.nextCall() != nil)
        connection.reply(NoParameters(), continues: true)
        connection.fail(VarlinkError(name: "a.b.Gone", parameters: ["id": 7]))

        #expect(
            connection.sentMessages() == [
                #"{"continues":true}"#, #"{"error":"a.b.Gone","parameters":{"id":7}}"#,
            ]
        )
        #expect(!connection.isCallInProgress)
    }

    @Test("a message that is not a call closes the connection silently, after the pending replies")
    func endsWhenMalformed() {
        var connection = ServerConnection()
        connection.receive(wire(#"{"method":"a.b.C"}"#, "broken", #"{"method":"a.b.D"}"#))

        #expect(connection.nextCall() != nil)
        connection.reply(NoParameters())
        #expect(connection.nextCall() == nil)
        #expect(!connection.wantsInput)
        #expect(!connection.isFinished)
        #expect(connection.sentMessages() == ["{}"])
        #expect(connection.isFinished)
        #expect(connection.nextCall() == nil)
    }

    @Test("a call over the limit closes the connection, complete or not", arguments: [true, false])
    func endsWhenOversized(isComplete: Bool) {
        var connection = ServerConnection(messageLimit: 100)
        let call = #"{"method":"\#(String(repeating: "x", count: 100)).A"}"#
        connection.receive(Array(call.utf8) + (isComplete ? [0] : []))

        #expect(connection.nextCall() == nil)
        #expect(connection.isFinished)
        #expect(!connection.hasOutput)
    }

    @Test("an incomplete call is dropped when the client disconnects")
    func dropsHalfFinished() {
        var connection = ServerConnection()
        connection.receive(Array(#"{"method":"#.utf8))
        #expect(connection.nextCall() == nil)
        #expect(!connection.isFinished)
        connection.endInput()

        #expect(connection.isFinished)
        #expect(!connection.hasOutput)
    }

    @Test("calls before the end of input are still answered")
    func answersAfterEnd() {
        var connection = ServerConnection()
        connection.receive(wire(#"{"method":"a.b.C"}"#, #"{"method":"a.b.D"}"#))
        connection.endInput()
        for _ in 0..<2 {
            #expect(!connection.isFinished)
            #expect(connection.nextCall() != nil)
            #expect(!connection.isFinished)
            connection.reply(NoParameters())
        }

        #expect(connection.sentMessages() == ["{}", "{}"])
        #expect(connection.isFinished)
    }

    @Test("a client that leaves too many bytes unread is disconnected")
    func boundsOutput() {
        var connection = ServerConnection(outputLimit: 100)
        connection.receive(wire(#"{"method":"a.b.C","more":true}"#))
        #expect(connection.nextCall() != nil)
        var replies = 0
        while !connection.isFinished, replies < 100 {
            connection.reply(Text(text: "0123456789"), continues: true)
            replies += 1
        }

        #expect(replies == 2)
    }

    @Test("calls wait while much output is queued")
    func pausesForOutput() {
        var connection = ServerConnection()
        connection.receive(wire(#"{"method":"a.b.C"}"#, #"{"method":"a.b.D"}"#))
        #expect(connection.nextCall() != nil)
        connection.reply(Text(text: String(repeating: "x", count: 70_000)))

        #expect(connection.nextCall() == nil)
        #expect(!connection.isFinished)
        #expect(connection.sentMessages().count == 1)
        #expect(connection.nextCall()?.method == "a.b.D")
    }

    @Test("output written in small pieces arrives whole")
    func sendsInPieces() {
        var connection = ServerConnection()
        connection.receive(wire(#"{"method":"a.b.C"}"#))
        #expect(connection.nextCall() != nil)
        connection.reply(Text(text: "0123456789"))
        var bytes: [UInt8] = []
        while connection.send({ span in
            bytes.append(span[0])
            return 1
        }) {}

        #expect(bytes == wire(#"{"parameters":{"text":"0123456789"}}"#))
        #expect(!connection.hasOutput)
    }

    @Test("a writer that accepts nothing leaves the output unchanged")
    func keepsOutput() {
        var connection = ServerConnection()
        connection.receive(wire(#"{"method":"a.b.C"}"#))
        #expect(connection.nextCall() != nil)
        connection.reply(NoParameters())

        let taken = connection.send { _ in nil }
        #expect(!taken)
        #expect(connection.sentMessages() == ["{}"])
    }

    @Test("a reply that JSON can't represent closes the connection")
    func refusesInfinity() {
        var connection = ServerConnection()
        connection.receive(wire(#"{"method":"a.b.C"}"#))
        #expect(connection.nextCall() != nil)
        connection.reply(["share": Double.infinity])

        #expect(connection.isFinished)
        #expect(!connection.hasOutput)
    }

    @Test("misuse traps")
    func traps() async {
        await #expect(processExitsWith: .failure) {
            var connection = ServerConnection()
            connection.reply(NoParameters())
        }
        await #expect(processExitsWith: .failure) {
            var connection = ServerConnection()
            connection.receive(wire(#"{"method":"a.b.C"}"#))
            _ = connection.nextCall()
            connection.reply(NoParameters(), continues: true)
        }
    }
}
