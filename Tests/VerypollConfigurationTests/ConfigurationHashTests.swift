import Testing

@testable import VerypollConfiguration

@Suite("Configuration.hash")
struct ConfigurationHashTests {
    private func hash(_ maxSessions: String) throws -> String {
        let text = """
            {"workers": 2, "limits": {"maxSessions": 100}, "listeners": {"web": {
              "listen": ["127.0.0.1:80"], "handler": {"type": "echo"}\(maxSessions)}}}
            """
        return try configuration(text).hash
    }

    @Test("the hash is FNV-1a with 64 bits")
    func isFNV() {
        #expect(Configuration.hash("".utf8) == 0xcbf2_9ce4_8422_2325)
        #expect(Configuration.hash("a".utf8) == 0xaf63_dc4c_8601_ec8c)
        #expect(Configuration.hash("foobar".utf8) == 0x8594_4171_f739_67e8)
    }

    @Test("spelled-out defaults do not change the hash, other values do")
    func followsMeaning() throws {
        let hash = try hash("")

        #expect(hash.count == 16)
        #expect(try self.hash(#", "whenFull": "pause""#) == hash)
        #expect(try self.hash(#", "whenFull": "reject""#) != hash)
    }
}
