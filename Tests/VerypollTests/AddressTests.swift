import Foundation
import Testing
import Verypoll

@Suite("IPAddress and SocketAddress")
struct AddressTests {
    @Test(
        "addresses are printed as RFC 5952 recommends",
        arguments: [
            ("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "0.0.0.0"),
            ("255.255.255.255", "255.255.255.255"),
            ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("2001:DB8::1", "2001:db8::1"),
            ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("2001:0db8::0001", "2001:db8::1"),
            ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
            ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
            ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"), ("::ffff:10.0.0.1", "::ffff:10.0.0.1"),
            ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
            ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
        ]
    )
    func prints(text: String, printed: String) throws {
        let address = try #require(IPAddress(text))
        #expect(address.description == printed)
        #expect(IPAddress(printed) == address)
    }

    @Test(
        "text that is not exactly an address is rejected",
        arguments: [
            "", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", "1..2.3", "a.b.c.d",
            ":", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", "g::", "::1%1",
            "[::1]", "1:2:3:4:5:6:7:", ":1:2:3:4:5:6:7", "::1.2.3", "1.2.3.4::",
            "1:2:3:4:5:6:7:1.2.3.4",
            "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "+1.2.3.4", "::+1",
        ]
    )
    func refuses(text: String) {
        #expect(IPAddress(text) == nil)
        #expect(libcBits(text) == nil)
    }

    @Test("random addresses are parsed as by inet_pton(3), and print in a form that it parses back")
    func agreesWithLibc() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            // Few bits are set, so that runs of zeros are common.
            var bits: UInt128 = 0
            for group in 0..<8 where Bool.random(using: &generator) {
                bits |= UInt128(UInt16.random(in: 0...0x1FF, using: &generator)) << (16 * group)
            }
            let address = IPAddress(v6: bits)
            #expect(libcBits(address.description) == bits, "\(address)")
            #expect(IPAddress(libcText(bits)) == address)
        }
    }

    @Test(
        "a socket address is parsed and printed",
        arguments: [
            "127.0.0.1:0", "0.0.0.0:65535", "[::1]:80", "[fe80::1%2]:443",
        ]
    )
    func socketAddresses(text: String) throws {
        let address = try #require(SocketAddress(text))
        #expect(address.description == text)
    }

    @Test(
        "a socket address with missing brackets, a missing port or invalid parts is rejected",
        arguments: [
            "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:080", "::1:80", "[::1]",
            "[::1]80",
            "[127.0.0.1]:80", "[::1%eth0]:80", "localhost:80", ":80", "[]:80", "1.2.3.4:-1",
        ]
    )
    func refusesSocketAddresses(text: String) {
        #expect(SocketAddress(text) == nil)
    }

    @Test("an address reports whether it is loopback, unspecified, multicast or IPv4-mapped")
    func kinds() {
        #expect(IPAddress.loopback(.v4).isLoopback && IPAddress.loopback(.v6).isLoopback)
        #expect(IPAddress.any(.v4).isUnspecified && IPAddress.any(.v6).isUnspecified)
        #expect(IPAddress("224.0.0.1")?.isMulticast == true)
        #expect(IPAddress("ff02::1")?.isMulticast == true)
        #expect(IPAddress("::ffff:10.0.0.1")?.unmapped == IPAddress("10.0.0.1"))
        #expect(MemoryLayout<SocketAddress>.stride <= 32)
    }
}

/// Returns the address that inet_pton(3) parses from a text, or `nil` if it rejects the text.
private func libcBits(_ text: String) -> UInt128? {
    var four = in_addr()
    if unsafe inet_pton(AF_INET, text, &four) == 1 {
        return UInt128(UInt32(bigEndian: four.s_addr))
    }
    var six = in6_addr()
    guard unsafe inet_pton(AF_INET6, text, &six) == 1 else { return nil }
    return unsafe withUnsafeBytes(of: six) { bytes in
        unsafe UInt128(bigEndian: bytes.loadUnaligned(as: UInt128.self))
    }
}

/// Returns the text that inet_ntop(3) prints for an IPv6 address.
private func libcText(_ bits: UInt128) -> String {
    var raw = bits.bigEndian
    var text = [CChar](repeating: 0, count: 64)
    _ = unsafe inet_ntop(AF_INET6, &raw, &text, 64)
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
