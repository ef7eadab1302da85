import Testing
import Verypoll

@testable import VerypollServer

@Suite("NameServers")
struct NameServersTests {
    private func servers(_ text: String) -> [String] {
        NameServers.servers(in: text) { $0 == "eth0" ? 4 : nil }.map(\.description)
    }

    @Test("the first three servers of resolv.conf are asked on port 53")
    func reads() {
        let text = """
            # nameserver 192.0.2.9
            ; nameserver 192.0.2.9
            search example.test
            nameserver 192.0.2.1
            nameserver\t2001:db8::1   # the second
            options timeout:1
            nameserver fe80::1%eth0
            nameserver 192.0.2.4
            """
        #expect(servers(text) == ["192.0.2.1:53", "[2001:db8::1]:53", "[fe80::1%4]:53"])
    }

    @Test("invalid lines are ignored")
    func ignores() {
        let text = """
            nameserver
            nameserver example.test
            nameservers 192.0.2.1
             nameserver 192.0.2.2
            nameserver fe80::1%eth9
            nameserver fe80::1%3
            """
        #expect(servers(text) == ["[fe80::1%3]:53"])
    }

    @Test("without a server, the one on this machine is asked")
    func fallsBack() {
        #expect(servers("") == ["127.0.0.1:53"])
        #expect(servers("search example.test\n") == ["127.0.0.1:53"])
        #expect(!NameServers.configured().isEmpty)
    }
}
