import DaemonTestSupport
import TestSupport
import Testing
import Varlink
import Verypoll
import VerypollControl

@testable import StrictJSON
@testable import VerypollDaemon
@testable import VerypollServer

@Suite("ControlServer: metrics")
struct ControlMetricsTests {
    private static func call(_ method: String, _ rest: String = #","more":true"#) -> String {
        #"{"method":"io.systemd.Metrics.\#(method)"\#(rest)}"#
    }

    private static let ping = #"{"method":"io.systemd.service.Ping"}"#

    @Test("List sends one reply for each metric, and Describe one for each family")
    func replies() throws {
        var fixture = try ControlFixture()
        fixture.handler.reported.metrics = [
            ReportedMetric(name: "a.B", object: "web", value: 1),
            ReportedMetric(name: "a.C", value: "x", fields: ["d": "e"]),
        ]
        fixture.handler.reported.families = [
            ReportedFamily(name: "a.B", description: "B.", type: .counter),
            ReportedFamily(name: "a.C", description: "C.", type: .string),
        ]
        let client = try Client(path: fixture.path)
        try client.send(Self.call("List") + "\0" + Self.call("Describe") + "\0" + Self.ping + "\0")
        try fixture.settle()
        #expect(
            try fixture.receiveMessages(5, from: client) == [
                #"{"continues":true,"parameters":{"name":"a.B","object":"web","value":1}}"#,
                #"{"parameters":{"fields":{"d":"e"},"name":"a.C","value":"x"}}"#,
                #"{"continues":true,"parameters":{"description":"B.","name":"a.B","#
                    + #""type":"counter"}}"#,
                #"{"parameters":{"description":"C.","name":"a.C","type":"string"}}"#, "{}",
            ]
        )
    }

    @Test(
        "without the flag more, or with parameters, the answer is an error",
        arguments: ["List", "Describe"]
    )
    func refuses(method: String) throws {
        var fixture = try ControlFixture()
        let client = try Client(path: fixture.path)
        let answers = try fixture.answers(
            to: Self.call(method, ""),
            Self.call(method, #","more":true,"parameters":{"name":"a"}"#),
            from: client
        )
        #expect(
            answers == [
                #"{"error":"org.varlink.service.ExpectedMore"}"#,
                #"{"error":"org.varlink.service.InvalidParameter","parameters":{"#
                    + #""parameter":"name"}}"#,
            ]
        )
        #expect(fixture.handler.jobCount == 0)
    }

    @Test("a oneway call is not answered, and the next call is")
    func ignoresOneway() throws {
        var fixture = try ControlFixture()
        let client = try Client(path: fixture.path)
        try client.send(Self.call("List", #","oneway":true"#) + "\0" + Self.ping + "\0")
        try fixture.settle()
        #expect(try fixture.receiveMessages(1, from: client) == ["{}"])
    }

    @Test("more than 4 MiB of metrics are refused as a whole, and the client can call again")
    func refusesLongAnswers() throws {
        var fixture = try ControlFixture()
        let long = String(repeating: "x", count: 100_000)
        fixture.handler.reported.metrics = (0..<42).map { index in
            ReportedMetric(name: "a.B\(index)", value: .string(long))
        }
        let client = try Client(path: fixture.path)
        let answers = try fixture.answers(to: Self.call("List"), Self.ping, from: client)
        #expect(answers == [#"{"error":"io.verypoll.Daemon.AnswerTooLong"}"#, "{}"])
    }

    @Test("the permission to read suffices")
    func permitsReading() throws {
        var fixture = try ControlFixture()
        let pair = try UnixStream.pair()
        let client = ControlClient(
            id: 1,
            stream: pair.first,
            token: Token(0),
            credentials: PeerCredentials(processID: 0, userID: 1, groupID: 1),
            permission: .read,
            now: .now
        )
        client.connection.receive(upTo: 1024) { output in
            for byte in "\(Self.call("List"))\0".utf8 { output.append(byte) }
        }
        let next = client.connection.nextCall()
        let call = try #require(next)
        let callID = CallID(slot: 0, client: 1, call: client.connection.callCount)
        fixture.server.answer(call, of: client, callID: callID, handler: fixture.handler)
        // An error would have ended the call at once.
        #expect(client.connection.isCallInProgress)
        #expect(!client.connection.hasOutput)
    }

    @Test("a server with this interface alone has no other, and performs no operation")
    func servesAlone() throws {
        var fixture = try ControlFixture(interfaces: [MetricsInterface.description])
        fixture.handler.reported.metrics = [ReportedMetric(name: "a.B", value: 1)]
        let client = try Client(path: fixture.path)
        let answers = try fixture.answers(
            to: #"{"method":"org.varlink.service.GetInfo"}"#,
            #"{"method":"io.verypoll.Daemon.Drain"}"#,
            Self.ping,
            Self.call("List"),
            from: client
        )
        let first = try #require(answers.first)
        #expect(first.contains(#""interfaces":["org.varlink.service","io.systemd.Metrics"]"#))
        let notFound = #"{"error":"org.varlink.service.InterfaceNotFound","parameters":{"#
        #expect(
            answers.dropFirst() == [
                notFound + #""interface":"io.verypoll.Daemon"}}"#,
                notFound + #""interface":"io.systemd.service"}}"#,
                #"{"parameters":{"name":"a.B","value":1}}"#,
            ]
        )
        #expect(fixture.handler.drains.isEmpty)
    }
}
