internal import Testing
internal import Verypoll

@testable internal import VerypollConfiguration

@Suite("AddressPrefix")
struct AddressPrefixTests {
    @Test("a block contains the addresses that begin with its prefix")
    func prefixes() throws {
        let block = try AddressPrefix("10.128.0.0/9")
        #expect(block.contains(IPAddress(v4: 0x0A80_0000)))
        #expect(block.contains(IPAddress(v4: 0x0AFF_FFFF)))
        #expect(!block.contains(IPAddress(v4: 0x0A7F_FFFF)))
        #expect(block.contains(IPAddress(v6: 0xFFFF_0A80_0001)))  // IPv4-mapped
        #expect(!block.contains(.loopback(.v6)))
        #expect(try AddressPrefix("0.0.0.0/0").contains(.loopback(.v4)))
        #expect(try AddressPrefix("::/0").contains(.loopback(.v6)))
        #expect(try !AddressPrefix("::/0").contains(.loopback(.v4)))
        #expect(try AddressPrefix("::1").contains(.loopback(.v6)))
        #expect(try AddressPrefix("::1").description == "::1/128")
        #expect(try AddressPrefix("::ffff:10.0.0.0/104").description == "10.0.0.0/8")
    }

    @Test(
        "invalid blocks are rejected with the reason",
        arguments: [
            (
                "10.0.0.66/8",
                "\"10.0.0.66/8\" has bits set after the prefix; write \"10.0.0.0/8\" for the block"
                    + " or \"10.0.0.66\" for the address"
            ),
            (
                "10.0.0.0/33",
                "\"33\" is not a valid prefix length for 10.0.0.0; write a number from 0 to 32"
            ),
            (
                "10.0.0.0/+8",
                "\"+8\" is not a valid prefix length for 10.0.0.0; write a number from 0 to 32"
            ),
            (
                "localhost",
                "\"localhost\" is not a valid address block; write one such as \"10.0.0.0/8\" or"
                    + " \"2001:db8::1\""
            ),
        ]
    )
    func refusedPrefixes(text: String, expected: String) {
        #expect(reason { () throws(InvalidValue) in _ = try AddressPrefix(text) } == expected)
    }
}
