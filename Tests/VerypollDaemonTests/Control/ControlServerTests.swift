import SystemPackage
import TestSupport
import Testing
import Varlink
import Verypoll
import VerypollControl

@testable import StrictJSON
@testable import VerypollConfiguration
@testable import VerypollDaemon
@testable import VerypollServer

@Suite("ControlServer")
struct ControlServerTests {
    private static let daemon = "io.verypoll.Daemon"
    static let ping = #"{"method":"io.systemd.service.Ping"}"#
    private static let status = #"{"method":"io.verypoll.Daemon.GetStatus"}"#
    private static let sessions = #"{"method":"io.verypoll.Daemon.ListSessions"}"#
    private static let kill =
        #"{"method":"io.verypoll.Daemon.KillSession","parameters":{"id":7}}"#
    private static let noSessions = #"{"parameters":{"sessions":[],"truncated":false}}"#

    @Test("each method is answered, in call order")
    func answers() throws {
        var fixture = try ControlFixture()
        let client = try Client(path: fixture.path)
        let answers = try fixture.answers(
            to: Self.ping,
            Self.status,
            #"{"method":"io.verypoll.Daemon.ListListeners"}"#,
            #"{"method":"io.verypoll.Daemon.ListUpstreams"}"#,
            Self.sessions,
            Self.kill,
            from: client
        )

        #expect(answers.count == 6)
        #expect(answers.first == "{}")
        #expect(answers[1].contains(#""state":"running""#))
        #expect(answers[2] == #"{"parameters":{"listeners":[]}}"#)
        #expect(answers[3] == #"{"parameters":{"upstreams":[]}}"#)
        #expect(answers[4...] == [Self.noSessions, "{}"])
        #expect(fixture.handler.killed == [7])
    }

    @Test("the interface description is served verbatim")
    func describes() throws {
        var fixture = try ControlFixture()
        let client = try Client(path: fixture.path)
        let answers = try fixture.answers(
            to: #"{"method":"org.varlink.service.GetInterfaceDescription","#
                + #""parameters":{"interface":"\#(Self.daemon)"}}"#,
            from: client
        )
        let reply = try Reply(decoding: Array(try #require(answers.first).utf8))
        let described = try reply.parameters(as: Varlink.Service.InterfaceDescription.self)

        #expect(described.description == DaemonInterface.description)
    }

    @Test(
        "invalid calls are answered with their error",
        arguments: [
            (#"{"method":"\#(daemon).None"}"#, "service.MethodNotFound"),
            (#"{"method":"org.example.None"}"#, "service.InterfaceNotFound"),
            (#"{"method":"\#(daemon).GetStatus","parameters":{"x":1}}"#, #""parameter":"x""#),
            (#"{"method":"\#(daemon).KillSession"}"#, #""parameter":"id""#),
            (#"{"method":"\#(daemon).KillSession","parameters":{"id":"7"}}"#, #""id""#),
            (#"{"method":"\#(daemon).KillSession","parameters":{"id":8}}"#, #"{"id":8}"#),
            (#"{"method":"\#(daemon).ListSessions","parameters":{"limit":0}}"#, #""limit""#),
            (#"{"method":"\#(daemon).ListSessions","parameters":{"limit":10001}}"#, #""limit""#),
            (
                #"{"method":"\#(daemon).ListSessions","parameters":{"listener":"a"}}"#,
                "\(daemon).ListenerNotFound"
            ),
        ]
    )
    func refuses(call: String, part: String) throws {
        var fixture = try ControlFixture()
        let client = try Client(path: fixture.path)
        let answers = try fixture.answers(to: call, Self.ping, from: client)

        #expect(answers.count == 2)
        #expect(answers.first?.hasPrefix(#"{"error":""#) == true)
        #expect(answers.first?.contains(part) == true)
        #expect(answers.last == "{}")
    }

    @Test("a message that is not a call silently closes its own connection only")
    func closesMalformed() throws {
        var fixture = try ControlFixture()
        let good = try Client(path: fixture.path)
        let bad = try Client(path: fixture.path)
        try bad.send("nonsense\0" + Self.ping + "\0")
        try fixture.settle()

        #expect(try bad.receiveToEnd() == [])
        #expect(try fixture.answers(to: Self.ping, from: good) == ["{}"])
    }

    @Test("a message over one mebibyte silently closes its connection")
    func closesOversized() throws {
        var fixture = try ControlFixture()
        let client = try Client(path: fixture.path)
        var rest = Array(repeating: UInt8(ascii: " "), count: (1 << 20) + 1)[...]
        while !rest.isEmpty {
            // The server reads only when the test runs it, so send no more than the socket accepts.
            rest.removeFirst(try client.sendSome(rest.prefix(32 << 10)))
            try fixture.settle()
        }

        #expect(try client.receiveToEnd() == [])
    }

    @Test("calls sent before the client shut down writing are answered")
    func answersHalfClosed() throws {
        var fixture = try ControlFixture()
        let client = try Client(path: fixture.path)
        try client.send(Self.ping + "\0" + Self.ping + "\0")
        try client.finishSending()
        try fixture.settle()

        #expect(try client.receiveToEnd() == Array("{}\0{}\0".utf8))
    }

    @Test("hundreds of pipelined calls are all answered, over several turns")
    func pipelines() throws {
        var fixture = try ControlFixture()
        let client = try Client(path: fixture.path)
        try client.send(String(repeating: Self.ping + "\0", count: 200))
        let turns = try fixture.settle()

        #expect(try fixture.receiveMessages(200, from: client).count == 200)
        #expect(turns > 200 / 64)
    }

    @Test("a call can be completed later, and the calls after it wait")
    func completesLater() throws {
        var fixture = try ControlFixture()
        fixture.handler.answersLater = true
        let client = try Client(path: fixture.path)
        try client.send(Self.sessions + "\0" + Self.ping + "\0")
        try fixture.settle()
        let callID = try #require(fixture.handler.callIDs.first)
        fixture.server.complete(callID, with: .success(ScriptedHandler.sessions))
        try fixture.settle()

        #expect(try fixture.receiveMessages(2, from: client) == [Self.noSessions, "{}"])
    }

    @Test("completing a call twice, or for a disconnected client, does nothing")
    func ignoresLateCompletion() throws {
        var fixture = try ControlFixture()
        fixture.handler.answersLater = true
        let client = try Client(path: fixture.path)
        try client.send(Self.sessions + "\0")
        try fixture.settle()
        let callID = try #require(fixture.handler.callIDs.first)
        fixture.server.complete(callID, with: .success(ScriptedHandler.sessions))
        fixture.server.complete(callID, with: .success(ScriptedHandler.sessions))
        #expect(try fixture.receiveMessages(1, from: client) == [Self.noSessions])

        do {
            let gone = try Client(path: fixture.path)
            try gone.send(Self.sessions + "\0")
            try fixture.settle()
        }
        try fixture.settle()
        let late = try #require(fixture.handler.callIDs.last)
        fixture.server.complete(late, with: .success(ScriptedHandler.sessions))
        #expect(try fixture.answers(to: Self.ping, from: client) == ["{}"])
    }

    @Test("a client that does not read is throttled without costing turns")
    func boundsStuckClient() throws {
        var fixture = try ControlFixture()
        let stuck = try Client(path: fixture.path)
        let call =
            #"{"method":"org.varlink.service.GetInterfaceDescription","#
            + #""parameters":{"interface":"io.verypoll.Daemon"}}"# + "\0"
        try stuck.send(String(repeating: call, count: 400))
        try fixture.settle()
        // While its socket is full, the server has nothing to do until the client reads.
        #expect(try fixture.settle() == 0)

        let other = try Client(path: fixture.path)
        #expect(try fixture.answers(to: Self.ping, from: other) == ["{}"])
    }

    @Test("the 65th client replaces the client that has been idle longest")
    func evictsIdlest() throws {
        var fixture = try ControlFixture()
        let start = ContinuousClock.now
        let oldest = try Client(path: fixture.path)
        try fixture.settle(now: start)
        let second = try Client(path: fixture.path)
        try fixture.settle(now: start + .seconds(1))
        try oldest.send(Self.ping + "\0")
        try fixture.settle(now: start + .seconds(2))
        var others: [Held] = []
        for _ in 2..<ControlServer.clientLimit {
            others.append(Held(try Client(path: fixture.path)))
            try fixture.settle(now: start + .seconds(3))
        }
        let newest = try Client(path: fixture.path)
        try newest.send(Self.ping + "\0")
        try fixture.settle(now: start + .seconds(4))

        #expect(try second.receiveToEnd() == [])
        #expect(try fixture.receiveMessages(1, from: newest) == ["{}"])
        #expect(try fixture.receiveMessages(1, from: oldest) == ["{}"])
        #expect(others.count == 62)
    }

    @Test("clients that wait for an answer keep their connections, and the new one is rejected")
    func keepsBusyClients() throws {
        var fixture = try ControlFixture()
        fixture.handler.answersLater = true
        var busy: [Held] = []
        for _ in 0..<ControlServer.clientLimit {
            let client = try Client(path: fixture.path)
            try client.send(Self.sessions + "\0")
            busy.append(Held(client))
            try fixture.settle()
        }
        let newcomer = try Client(path: fixture.path)
        try fixture.settle()

        #expect(try newcomer.receiveToEnd() == [])
        #expect(fixture.handler.callIDs.count == ControlServer.clientLimit)
        for callID in fixture.handler.callIDs {
            fixture.server.complete(callID, with: .success(ScriptedHandler.sessions))
        }
        for client in busy {
            #expect(try fixture.receiveMessages(1, from: client.client) == [Self.noSessions])
        }
    }

    @Test("out of descriptors, it stops accepting without spinning, and retries later")
    func pausesAccepting() async {
        // Run in an exit test, because the descriptor limit applies to the whole process.
        await #expect(processExitsWith: .success) {
            var fixture = try ControlFixture()
            let client = try Client(path: fixture.path)
            var taken: [FileDescriptor] = []
            while let one = try? FileDescriptor.standardError.duplicate() { taken.append(one) }
            let now = ContinuousClock.now
            let turns = try fixture.settle(now: now)
            precondition(turns < 10, "it spins")
            precondition(fixture.server.deadline == now + .seconds(1), "it does not retry")

            for descriptor in taken { try descriptor.close() }
            try client.send(Self.ping + "\0")
            try fixture.settle(now: now + .milliseconds(999))
            precondition(fixture.server.deadline == now + .seconds(1), "it retries too early")
            try fixture.settle(now: now + .seconds(1))
            precondition(fixture.server.deadline == nil, "it still waits")
            let answers = try fixture.receiveMessages(1, from: client)
            precondition(answers == ["{}"], "the client was not served")
        }
    }

    @Test("read permission allows listing but not killing", arguments: [Permission.read, .operate])
    func permits(permission: Permission) throws {
        var fixture = try ControlFixture()
        let pair = try UnixStream.pair()
        let client = ControlClient(
            id: 1,
            stream: pair.first,
            token: Token(0),
            credentials: PeerCredentials(processID: 0, userID: 1, groupID: 1),
            permission: permission,
            now: .now
        )
        client.connection.receive(upTo: 1024) { output in
            for byte in "\(Self.sessions)\0\(Self.kill)\0".utf8 { output.append(byte) }
        }
        var answers: [UInt8] = []
        while let call = client.connection.nextCall() {
            let callID = CallID(slot: 0, client: 1, call: client.connection.callCount)
            fixture.server.answer(call, of: client, callID: callID, handler: fixture.handler)
        }
        while client.connection.send({ bytes in
            for index in bytes.indices { answers.append(bytes[index]) }
            return bytes.count
        }) {}
        let killAnswer =
            permission == .read ? #"{"error":"org.varlink.service.PermissionDenied"}"# : "{}"

        #expect(
            String(decoding: answers, as: UTF8.self) == "\(Self.noSessions)\0\(killAnswer)\0"
        )
        #expect(fixture.handler.killed == (permission == .read ? [] : [7]))
    }
}
