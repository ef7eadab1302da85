import DaemonTestSupport
import Testing
import Verypoll
import VerypollConfiguration

@testable import VerypollDaemon
@testable import VerypollServer

@Suite("HandoffStore")
struct HandoffStoreTests {
    private func prefix(_ address: String, of listener: String = "web") throws -> String {
        StoredSocket.prefix(of: try ListenAddress(address), listener: listener)
    }

    @Test("names of listening sockets differ from those of sessions and of the ledger")
    func tellsSockets() throws {
        #expect(StoredSocket.isName(try prefix("127.0.0.1:80") + "1.1"))
        #expect(!StoredSocket.isName(HandoffStore.sessionsName))
        #expect(!StoredSocket.isName(HandoffStore.ledgerName))
    }

    @Test("a name contains only characters that systemd allows, and a space ends the address")
    func escapes() throws {
        #expect(try prefix("127.0.0.1:80") == "verypolld listener 127.0.0.1|80 ")
        let path = try prefix("unix:/run/a b%c|d\u{FC}")
        #expect(path == "verypolld listener unix|/run/a%20b%25c%7cd%c3%bc ")
    }

    @Test("no address's prefix equals another's or begins with it")
    func distinguishes() throws {
        let addresses = [
            "127.0.0.1:80", "127.0.0.1:8080", "[::1]:80", "unix:/a", "unix:/a b", "unix:/a%20b",
            "unix:/a|b", "unix:/a:b", "unix:/a%7cb", "unix:@a", "systemd:a", "systemd:a b",
        ]
        let prefixes = try addresses.map { try prefix($0) }
        for (index, one) in prefixes.enumerated() {
            for other in prefixes[(index + 1)...] {
                #expect(!one.hasPrefix(other) && !other.hasPrefix(one), "\(one), \(other)")
            }
        }
    }

    @Test("a renamed listener finds its sockets, unless the kernel chose their ports")
    func namesListeners() throws {
        for address in ["127.0.0.1:80", "unix:/a", "systemd:a"] {
            #expect(try prefix(address, of: "web") == prefix(address, of: "api"))
        }
        #expect(try prefix("127.0.0.1:0", of: "web") != prefix("127.0.0.1:0", of: "api"))
    }

    @Test("sockets count for as long as they live, and retiring ones are not inherited")
    func counts() {
        let store = HandoffStore(logger: RecordingLog().logger)
        do {
            let kept = store.adopt("kept")
            let retiring = store.adopt("retiring", isCounted: false)
            #expect(store.socketCount == 2)
            #expect(store.inheritedCount == 1)
            let names = [kept.name, retiring.name]
            #expect(names == ["kept", "retiring"])
        }
        #expect(store.socketCount == 0)
        #expect(store.inheritedCount == 1)
    }
}
