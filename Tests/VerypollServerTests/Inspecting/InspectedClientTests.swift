import DaemonTestSupport
import Testing
import Verypoll
import VerypollConfiguration

@testable import VerypollServer

@Suite("InspectedClient")
struct InspectedClientTests {
    private func client(_ bytes: ClientHelloBytes) -> InspectedClient {
        var hello = ClientHello()
        #expect(hello.read(bytes.record.span) == .complete)
        let client = InspectedClient()
        client.take(hello)
        return client
    }

    @Test("protocols are harmless text, and the first 255 bytes of them are kept")
    func showsProtocols() {
        let odd = client(ClientHelloBytes("A.example.", protocols: ["h2", "a\u{1B}[2J", "é\\"]))
        #expect(odd.serverNameText == "a.example")
        #expect(odd.protocolTexts == ["h2", "a\\x1B[2J", "\\xC3\\xA9\\x5C"])
        let long = String(repeating: "x", count: 250)
        let many = client(ClientHelloBytes("a", protocols: ["h2", long, "h3"]))
        #expect(many.protocolTexts == ["h2", long])
    }

    @Test("a name that is not valid counts as none")
    func dropsNames() {
        for name in ["1.2.3.4", "::1", "a_b.example", "a..b", "é.example", "a\0b"] {
            #expect(client(ClientHelloBytes(name)).serverNameText == nil)
        }
        let long = String(repeating: "a", count: 300)
        #expect(client(ClientHelloBytes(long)).serverNameText == nil)
    }

    @Test("a PROXY header of version 2 has the name and the first protocol as extensions")
    func writesExtensions() {
        let address = SocketAddress(IPAddress(v4: 0x0102_0304), port: 9)
        let header = ProxyHeader(.tcp(source: address, destination: address))
        let client = client(ClientHelloBytes("a.example", protocols: ["h2", "http/1.1"]))
        let bytes = [UInt8](capacity: ProxyHeader.longestBinary) {
            header.write(.v2, announced: client, into: &$0)
        }
        let extensions =
            headerExtension(1, Array("h2".utf8)) + headerExtension(2, Array("a.example".utf8))
        let addresses: [UInt8] = [1, 2, 3, 4, 1, 2, 3, 4, 0, 9, 0, 9]
        #expect(bytes == binaryHeader(0x11, addresses + extensions))
        let line = [UInt8](capacity: ProxyHeader.longestLine) {
            header.write(.v1, announced: client, into: &$0)
        }
        #expect(line == Array("PROXY TCP4 1.2.3.4 1.2.3.4 9 9\r\n".utf8))
    }

    @Test("the longest names fit into the longest header")
    func writesLongest() {
        let label = String(repeating: "a", count: 63)
        let name = [label, label, label, String(label.dropLast(2))].joined(separator: ".")
        #expect(name.utf8.count == ServerName.longest)
        let protocolName = String(repeating: "x", count: 254)
        let client = client(ClientHelloBytes(name, protocols: [protocolName]))
        let unix = UnixAddress.abstract(Array("a".utf8))
        let header = ProxyHeader(.unix(source: unix, destination: unix))
        let bytes = [UInt8](capacity: ProxyHeader.longestBinary) {
            header.write(.v2, announced: client, into: &$0)
        }
        #expect(bytes.count == 16 + 216 + 3 + 253 + 3 + 254)
        #expect(client.serverNameText == name)
    }
}
