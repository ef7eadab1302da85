import DaemonTestSupport
import SystemPackage
import TestSupport
import Testing
import Verypoll

@testable import VerypollConfiguration
@testable import VerypollServer

@Suite("LongProxyHeader")
struct LongProxyHeaderTests {
    /// Reads a header in pieces; `nil` if it is not one that is read so.
    private func read(
        _ bytes: [UInt8],
        using generator: inout Generator
    ) -> ProxyHeader.Parse? {
        guard var long = ProxyHeader.long(bytes.span.extracting(..<300)) else { return nil }
        var position = 0
        while long.remaining > 0 {
            let count = Int.random(in: 1...min(long.remaining, 2000), using: &generator)
            let piece = bytes.span.extracting(position..<position + count)
            if let reason = long.read(piece) { return .malformed(reason) }
            position += count
        }
        return .complete(long.header, byteCount: position)
    }

    @Test("a header that is read piece by piece is found to be what it is as a whole")
    func agrees() {
        var generator = Generator(state: 29)
        var wrong = longHeader(5000)
        wrong[2000] ^= 1
        let most = longHeader(65_551)
        let twice = binaryHeader(
            0x11,
            headerAddresses + headerExtension(3, [0, 0, 0, 0])
                + headerExtension(4, Array(repeating: 1, count: 5000))
                + headerExtension(3, [0, 0, 0, 0])
        )
        let headers = [
            longHeader(5000), longHeader(4097), most, wrong, twice,
            binaryHeader(0x11, headerAddresses + [4, 0xFF, 0xFF] + most[..<6000]),
            binaryHeader(
                0x11,
                headerAddresses + headerExtension(4, Array(most[..<5000])) + [1, 0]
            ),
            binaryHeader(0x00, Array(repeating: 1, count: 65_535)),
            binaryHeader(0x31, Array(most[..<6000]), command: 0x20),
        ]
        for header in headers {
            let whole = ProxyHeader.parse(header.span)
            for _ in 0..<5 { #expect(read(header, using: &generator) == whole) }
        }
        let short = longHeader(4096)
        #expect(read(short, using: &generator) == nil)
    }
}
