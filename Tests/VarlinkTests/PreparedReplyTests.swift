import Testing

@testable import Varlink

@Suite("PreparedReply")
struct PreparedReplyTests {
    private struct Number: Codable {
        var number: Double
    }

    private func numbers(_ values: Double...) -> [Number] { values.map(Number.init) }

    @Test("all replies but the last announce another one, and the last one ends the call")
    func sendsAll() throws {
        var connection = ServerConnection()
        let call = #"{"method":"a.b.C","more":true}"#
        connection.receive(wire(call, call))
        _ = connection.nextCall()
        connection.reply(try #require(PreparedReply(all: numbers(1, 2, 3))))
        #expect(!connection.isCallInProgress)
        _ = connection.nextCall()
        connection.reply(try #require(PreparedReply(all: numbers(4))))

        #expect(
            connection.sentMessages() == [
                #"{"continues":true,"parameters":{"number":1}}"#,
                #"{"continues":true,"parameters":{"number":2}}"#,
                #"{"parameters":{"number":3}}"#, #"{"parameters":{"number":4}}"#,
            ]
        )
    }

    @Test("there are no replies if there is nothing to say, or something that JSON can't represent")
    func refuses() {
        #expect(PreparedReply(all: [Number]()) == nil)
        #expect(PreparedReply(all: numbers(1, .infinity)) == nil)
    }

    @Test("all replies together may have as many bytes as the limit, and no more")
    func isBounded() throws {
        let values = numbers(1, 2, 3)
        let size = try #require(PreparedReply(all: values)).messages.count
        #expect(PreparedReply(all: values, limit: size) != nil)
        #expect(PreparedReply(all: values, limit: size - 1) == nil)
    }
}
