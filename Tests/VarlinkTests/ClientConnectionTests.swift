import StrictJSON
import Testing

@testable import Varlink

@Suite("ClientConnection")
struct ClientConnectionTests {
    /// Returns a client's calls as a server parses them.
    private func calls(of client: inout ClientConnection) throws -> [Call] {
        var framing = MessageFraming()
        while client.send({ span in
            framing.append(span.indices.map { span[$0] })
            return span.count
        }) {}
        var calls: [Call] = []
        while let message = try framing.next() { calls.append(try Call(decoding: message)) }
        return calls
    }

    @Test("a call reaches the server with its parameters and its mode")
    func calls() throws {
        var client = ClientConnection()
        let parameters = EchoParameters(text: "a\0b", count: 3, inner: nil)
        try client.call("a.b.C", parameters: parameters, mode: .more)
        try client.call("a.b.D", mode: .oneway)
        let calls = try calls(of: &client)

        #expect(calls.map(\.method) == ["a.b.C", "a.b.D"])
        #expect(calls.map(\.mode) == [.more, .oneway])
        #expect(try calls[0].parameters(as: EchoParameters.self) == parameters)
        #expect(!client.hasOutput)
    }

    @Test("replies arrive in order, however the bytes are split")
    func replies() throws {
        let bytes = wire(
            #"{"continues":true,"parameters":{"text":"1","later":[]}}"#,
            #"{"parameters":{"text":"2"},"org.example.vendor":{}}"#
        )
        for cut in 0...bytes.count {
            var client = ClientConnection()
            var texts: [String] = []
            for part in [bytes[..<cut], bytes[cut...]] {
                client.receive(part)
                while let reply = try client.nextReply() {
                    texts.append(try reply.parameters(as: EchoParameters.self).text)
                    #expect(reply.continues == (texts.count == 1))
                }
            }
            #expect(texts == ["1", "2"], "split at \(cut)")
        }
    }

    @Test("an error is thrown with its parameters")
    func throwsErrors() throws {
        var client = ClientConnection()
        client.receive(
            wire(
                #"{"error":"org.varlink.service.PermissionDenied"}"#,
                #"{"error":"a.b.E","parameters":{"id":7,"of":["x",null,true,1.5,{}]}}"#
            )
        )
        let denied = try #require(try client.nextReply())
        #expect(throws: VarlinkError.permissionDenied) {
            try denied.parameters(as: NoParameters.self)
        }
        let other = try #require(try client.nextReply())
        #expect(other.error?.name == "a.b.E")
        #expect(other.error?.parameters["id"] == 7)
        #expect(
            other.error?.parameters["of"]
                == .array(["x", .null, true, JSONValue(.number("1.5")), .object([:])])
        )
    }

    @Test(
        "a reply that is not valid is rejected",
        arguments: ["", "[]", #"{"error":1}"#, #"{"continues":"yes"}"#, "{"]
    )
    func refuses(text: String) {
        var client = ClientConnection()
        client.receive(wire(text))

        #expect(throws: MalformedMessage()) { try client.nextReply() }
    }

    @Test("reply parameters of the wrong type are rejected")
    func refusesParameters() throws {
        var client = ClientConnection()
        client.receive(wire(#"{"parameters":{"text":1}}"#))
        let reply = try #require(try client.nextReply())

        #expect(throws: MalformedMessage()) { try reply.parameters(as: EchoParameters.self) }
    }
}
