import TestSupport
import Testing
import Varlink
import Verypoll
import VerypollControl

@testable import StrictJSON
@testable import VerypollConfiguration
@testable import VerypollDaemon
@testable import VerypollServer

@Suite("ControlServer: operations")
struct ControlOperationTests {
    private static func call(_ method: String, _ parameters: String = "{}") -> String {
        #"{"method":"io.verypoll.Daemon.\#(method)","parameters":\#(parameters)}"#
    }

    private static func systemd(_ method: String, _ parameters: String = "{}") -> String {
        #"{"method":"io.systemd.service.\#(method)","parameters":\#(parameters)}"#
    }

    @Test("operations reach the handler with parsed time spans and levels")
    func passes() throws {
        var fixture = try ControlFixture()
        let client = try Client(path: fixture.path)
        let answers = try fixture.answers(
            to: Self.call("Drain"),
            Self.call("Drain", #"{"deadline":"1min 30s"}"#),
            Self.call("Resume"),
            Self.call("GetConfig"),
            Self.call("Reload"),
            Self.systemd("Reload"),
            Self.systemd("SetLogLevel", #"{"level":7}"#),
            Self.systemd("SetLogLevel", #"{"level":0}"#),
            from: client
        )

        #expect(
            answers == [
                "{}", "{}", "{}", #"{"parameters":{"config":{"workers":2}}}"#,
                #"{"parameters":{"changes":[]}}"#, "{}", "{}", "{}",
            ]
        )
        #expect(fixture.handler.drains == [nil, .seconds(90)])
        #expect(fixture.handler.logLevels == [7, 0])
    }

    @Test(
        "invalid calls are answered with their error",
        arguments: [
            (call("Drain", #"{"deadline":"soon"}"#), #"InvalidParameter","parameters":{"#),
            (call("Drain", #"{"deadline":30}"#), #"{"parameter":"deadline"}"#),
            (call("Drain", #"{"listener":"a"}"#), #"ListenerNotFound"#),
            (call("Resume", #"{"listener":"a"}"#), #"{"listener":"a"}"#),
            (call("SetServer", #"{"upstream":"app"}"#), #"{"parameter":"server"}"#),
            (call("SetServer", #"{"upstream":"app","server":"a:1"}"#), #"{"parameter":"state"}"#),
            (
                call("SetServer", #"{"upstream":"app","server":"a:1","state":"off"}"#),
                #"{"parameter":"state"}"#
            ),
            (
                call("SetServer", #"{"upstream":"app","server":"a:1","weight":0}"#),
                #"{"parameter":"weight"}"#
            ),
            (
                call("SetServer", #"{"upstream":"app","server":"a:1","weight":1001}"#),
                #"{"parameter":"weight"}"#
            ),
            (
                call("SetServer", #"{"upstream":"ap","server":"a:1","state":"up"}"#),
                #"UpstreamNotFound","parameters":{"upstream":"ap"}"#
            ),
            (
                call("SetServer", #"{"upstream":"app","server":"a:1","weight":1}"#),
                #"ServerNotFound","parameters":{"server":"a:1","upstream":"app"}"#
            ),
            (call("GetSession", #"{"id":5}"#), #"SessionNotFound","parameters":{"id":5}"#),
            (call("CheckConfig"), #"{"parameter":"text"}"#),
            (
                call("CheckConfig", #"{"text":"x"}"#),
                #"ConfigurationInvalid","parameters":{"problems":[{"column":2,"file":"","line":1,"#
                    + #""message":"x","pointer":"/a"}]}"#
            ),
            (systemd("SetLogLevel"), #"{"parameter":"level"}"#),
            (systemd("SetLogLevel", #"{"level":8}"#), #"{"parameter":"level"}"#),
            (systemd("SetLogLevel", #"{"level":-1}"#), #"{"parameter":"level"}"#),
        ]
    )
    func refuses(call: String, part: String) throws {
        var fixture = try ControlFixture()
        let client = try Client(path: fixture.path)
        let answers = try fixture.answers(to: call, from: client)

        #expect(answers.first?.hasPrefix(#"{"error":""#) == true)
        #expect(answers.first?.contains(part) == true, "\(answers)")
        #expect(fixture.handler.drains == [])
        #expect(fixture.handler.logLevels == [])
    }

    @Test("a slow reload is answered as each interface specifies")
    func reloadsLater() throws {
        var fixture = try ControlFixture()
        fixture.handler.answersLater = true
        let client = try Client(path: fixture.path)
        let list = ChangeList(changes: [
            ConfigurationChange(pointer: "/workers", kind: .changed, before: "1", after: "2")
        ])
        for (call, expected) in [
            (Self.systemd("Reload"), "{}"),
            (
                Self.call("Reload"),
                #"{"parameters":{"changes":[{"after":"2","before":"1","kind":"changed","#
                    + #""pointer":"/workers"}]}}"#
            ),
        ] {
            try client.send(call + "\0")
            try fixture.settle()
            let callID = try #require(fixture.handler.callIDs.last)
            fixture.server.complete(callID, with: .success(list))
            #expect(try fixture.receiveMessages(1, from: client) == [expected])
        }
    }
}
