import DaemonTestSupport
import Logging
import TestSupport
import Testing
import Varlink
import Verypoll
import VerypollControl

@testable import StrictJSON
@testable import VerypollConfiguration
@testable import VerypollDaemon
@testable import VerypollServer

@Suite("Caller")
struct CallerTests {
    @Test("a caller is described by its command, user and process, as far as they are known")
    func describes() {
        let known = Caller(uid: 0, gid: 0, pid: 123, command: "verypollctl")
        #expect("\(known)" == "verypollctl (uid 0, pid 123)")
        #expect("\(Caller(uid: 5, gid: 0, pid: 123))" == "uid 5, pid 123")
        #expect("\(Caller(uid: 5, gid: 0, pid: nil))" == "uid 5")
        #expect(Caller?.some(known).suffix == " by verypollctl (uid 0, pid 123)")
        #expect(Caller?.none.suffix == "")
    }

    @Test("a caller has the credentials of its socket and the command of its process")
    func reads() throws {
        let peer = try UnixStream.pair().first.peerCredentials()
        let caller = Caller(peer)
        #expect(caller.uid == Int(peer.userID))
        #expect(caller.gid == Int(peer.groupID))
        #expect(caller.pid == Int(peer.processID))
        #expect(caller.command?.isEmpty == false)
    }

    @Test("a process that is gone or hidden has no command")
    func readsNothing() {
        let caller = Caller(PeerCredentials(processID: 0, userID: 7, groupID: 8))
        #expect(caller == Caller(uid: 7, gid: 8, pid: nil))
        #expect(ProcessName.current(of: .max) == nil)
    }

    @Test("the name that a process has chosen can't control a terminal")
    func escapes() throws {
        let directory = try TemporaryDirectory()
        let path = directory.appending("a\u{1B}[31m")
        #expect(try Program.run("cp", ["/bin/sleep", path]).exit == .code(0))
        let program = try Program(path, ["60"])
        try eventually("the program to be executed") {
            ProcessName.current(of: program.processID) == #"a\u001B[31m"#
        }
    }

    @Test("metadata gets only the fields that are known")
    func addsMetadata() {
        let metadata: Logger.Metadata = ["a": "b"]
        #expect(metadata.by(nil) == ["a": "b"])
        #expect(
            metadata.by(Caller(uid: 1, gid: 2, pid: nil)) == ["a": "b", "callerUID": .number(1)]
        )
        #expect(
            metadata.by(Caller(uid: 1, gid: 2, pid: 3, command: "c"))
                == [
                    "a": "b", "callerUID": .number(1), "callerPID": .number(3),
                    "callerCommand": "c",
                ]
        )
    }

    @Test("refusals are logged up to a limit in each period, and the next one counts the rest")
    func limitsRefusals() {
        var log = DenialLog()
        let start = ContinuousClock.now
        for _ in 0..<DenialLog.limit {
            let unlogged = log.admit(now: start)
            #expect(unlogged == 0)
        }
        for _ in 0..<5 {
            let unlogged = log.admit(now: start + .seconds(1))
            #expect(unlogged == nil)
        }
        let first = log.admit(now: start + DenialLog.period)
        #expect(first == 5)
        let second = log.admit(now: start + DenialLog.period)
        #expect(second == 0)
    }

    @Test("a refused call is logged with its method and its caller")
    func logsRefusal() throws {
        var fixture = try ControlFixture()
        let pair = try UnixStream.pair()
        let client = ControlClient(
            id: 1,
            stream: pair.first,
            token: Token(0),
            credentials: PeerCredentials(processID: 0, userID: 4_000_000, groupID: 5),
            permission: .read,
            now: .now
        )
        client.connection.receive(upTo: 1024) { output in
            for byte in #"{"method":"io.verypoll.Daemon.Reload"}"#.utf8 { output.append(byte) }
            output.append(0)
        }
        let next = client.connection.nextCall()
        let call = try #require(next)
        let callID = CallID(slot: 0, client: 1, call: 1)
        fixture.server.answer(call, of: client, callID: callID, handler: fixture.handler)
        let events = fixture.log.takeEvents()
        #expect(events.map { $0.metadata["method"] } == ["io.verypoll.Daemon.Reload"])
        #expect(events.map { $0.metadata["callerUID"] } == [.number(4_000_000)])
    }
}
