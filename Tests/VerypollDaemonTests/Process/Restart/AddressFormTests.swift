internal import Glibc
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("Listening sockets of every form of address")
struct AddressFormTests {
    @Test("listening sockets survive a restart and a crash, with the connections in their backlogs")
    func survive() throws {
        let manager = try ServiceManager()
        let ports = try (0..<5).map { _ in try reservedPort() }
        var daemon = try TestDaemon(
            serving("echo", as: "v4", listen: "127.0.0.1:\(ports[0])"),
            serving("echo", as: "v6", listen: "[::1]:\(ports[0])"),
            serving("echo", as: "v6only", listen: "[::1]:\(ports[1])", onlyV6),
            serving("echo", as: "any", listen: "[::]:\(ports[2])"),
            serving("echo", as: "any6", listen: "[::]:\(ports[3])", onlyV6),
            serving("echo", as: "mapped", listen: "[::ffff:127.0.0.1]:\(ports[4])", onlyV6),
            serving("echo", as: "path", listen: "unix:DIR/echo"),
            serving("echo", as: "abstract", listen: "unix:@verypoll-\(ports[0])"),
            manager: manager
        )
        try eventually("the sockets to be stored") { manager.names.count == 8 }
        let names = manager.sockets.map(\.name).sorted()
        let places = [
            "127.0.0.1:\(ports[0])", "[::1]:\(ports[0])", "[::1]:\(ports[1])",
            "[::1]:\(ports[2])", "127.0.0.1:\(ports[2])", "[::1]:\(ports[3])",
            "127.0.0.1:\(ports[4])", "unix:\(daemon.directory.appending("echo"))",
            "unix:@verypoll-\(ports[0])",
        ]
        for isCrash in [false, true] {
            if isCrash {
                try daemon.program.send(SIGKILL)
            } else {
                try daemon.stop(forRestart: true)
            }
            #expect(try daemon.program.waitForExit() == (isCrash ? .signal(SIGKILL) : .code(0)))
            let clients = try places.map { Held(try Client(address: $0)) }
            for held in clients { try held.client.send("wait") }
            try daemon.start()
            try daemon.program.waitForStandardError(containing: "is ready")
            for (held, place) in zip(clients, places) {
                let answer = Result { try held.client.receive(exactly: 4) }
                #expect(try answer.get() == Array("wait".utf8), "\(place)")
            }
            #expect(manager.sockets.map(\.name).sorted() == names)
        }
        try manager.end()
    }

    private let onlyV6 = #", "socket": {"onlyV6": true}"#
}
