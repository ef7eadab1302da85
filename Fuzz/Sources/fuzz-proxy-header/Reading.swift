internal import Glibc
internal import SystemPackage
internal import Verypoll

@testable internal import StrictJSON
@testable internal import VerypollConfiguration
@testable internal import VerypollDaemon
@testable internal import VerypollServer

/// The header at the beginning of the bytes, parsed as proxy-protocol.txt specifies.
struct Reading {
    let origin: ProxyHeader.Origin
    let byteCount: Int

    /// Parses a header; `nil` if there is none, or if it is incomplete.
    init?(_ bytes: [UInt8]) {
        if bytes.starts(with: "\r\n\r\n\0\r\nQUIT\n".utf8) {
            self.init(binary: bytes)
        } else {
            self.init(line: bytes)
        }
    }

    private init?(line bytes: [UInt8]) {
        guard let feed = bytes.prefix(107).firstIndex(of: 0x0A), feed > 0 else { return nil }
        let text = bytes[..<(feed - 1)]
        guard bytes[feed - 1] == 0x0D, !text.contains(0x0D) else { return nil }
        byteCount = feed + 1
        let fields = text.split(separator: 0x20, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        guard fields.count >= 2, fields[0] == "PROXY" else { return nil }
        if fields[1] == "UNKNOWN" {
            origin = .local
            return
        }
        let isV4 = fields[1] == "TCP4"
        guard isV4 || fields[1] == "TCP6", fields.count == 6,
            let source = Self.ip(fields[2], isV4: isV4), let from = Self.port(fields[4]),
            let destination = Self.ip(fields[3], isV4: isV4), let to = Self.port(fields[5])
        else { return nil }
        origin = .tcp(
            source: SocketAddress(source, port: from),
            destination: SocketAddress(destination, port: to)
        )
    }

    /// Returns the address that inet_pton(3) parses.
    private static func ip(_ text: String, isV4: Bool) -> IPAddress? {
        guard !text.utf8.contains(0) else { return nil }
        var v4: UInt32 = 0
        var v6: UInt128 = 0
        if isV4 {
            guard unsafe inet_pton(AF_INET, text, &v4) == 1 else { return nil }
            return IPAddress(v4: UInt32(bigEndian: v4))
        }
        guard unsafe inet_pton(AF_INET6, text, &v6) == 1 else { return nil }
        return IPAddress(v6: UInt128(bigEndian: v6))
    }

    private static func port(_ text: String) -> UInt16? {
        guard let port = UInt16(text), "\(port)" == text else { return nil }
        return port
    }

    private init?(binary bytes: [UInt8]) {
        guard bytes.count >= 16 else { return nil }
        let end = 16 + Int(bytes[14]) * 256 + Int(bytes[15])
        guard bytes.count >= end, end <= 65_536 else { return nil }
        byteCount = end
        let body = Array(bytes[16..<end])
        switch (bytes[12], bytes[13]) {
        case (0x20, _), (0x21, 0x00), (0x21, 0x01), (0x21, 0x10), (0x21, 0x20), (0x21, 0x30):
            origin = .local
            return
        case (0x21, 0x11):
            guard body.count >= 12 else { return nil }
            origin = .tcp(
                source: SocketAddress(
                    IPAddress(v4: Self.number(body[0..<4])),
                    port: Self.number(body[8..<10])
                ),
                destination: SocketAddress(
                    IPAddress(v4: Self.number(body[4..<8])),
                    port: Self.number(body[10..<12])
                )
            )
        case (0x21, 0x21):
            guard body.count >= 36 else { return nil }
            origin = .tcp(
                source: SocketAddress(
                    IPAddress(v6: Self.number(body[0..<16])),
                    port: Self.number(body[32..<34])
                ),
                destination: SocketAddress(
                    IPAddress(v6: Self.number(body[16..<32])),
                    port: Self.number(body[34..<36])
                )
            )
        case (0x21, 0x31):
            guard body.count >= 216 else { return nil }
            origin = .unix(source: Self.unix(body[..<108]), destination: Self.unix(body[108..<216]))
        default: return nil
        }
        let start = [0, 28, 52, 232][Int(bytes[13] >> 4)]
        guard Self.hasExtensions(Array(bytes[..<end]), from: start) else { return nil }
    }

    private static func number<Number: FixedWidthInteger>(_ bytes: ArraySlice<UInt8>) -> Number {
        bytes.reduce(0) { $0 << 8 | Number($1) }
    }

    private static func unix(_ field: ArraySlice<UInt8>) -> UnixAddress {
        if field.allSatisfy({ $0 == 0 }) { return .unnamed }
        if field.first == 0 {
            return .abstract(Array(field.dropFirst().reversed().drop { $0 == 0 }.reversed()))
        }
        let text = field.prefix { $0 != 0 }.map(CChar.init(bitPattern:)) + [0]
        return .path(FilePath(platformString: text))
    }

    /// Returns whether the header ends with complete TLVs, and at most one checksum, which is
    /// correct.
    private static func hasExtensions(_ header: [UInt8], from start: Int) -> Bool {
        var rest = header[start...]
        var sums = 0
        while let type = rest.first {
            guard rest.count >= 3 else { return false }
            let length: Int = number(rest.dropFirst().prefix(2))
            rest = rest.dropFirst(3)
            guard rest.count >= length else { return false }
            if type == 3 {
                var zeroed = header
                guard length == 4 else { return false }
                for index in rest.startIndex..<rest.startIndex + 4 { zeroed[index] = 0 }
                guard number(rest.prefix(4)) == checksum(zeroed) else { return false }
                sums += 1
            }
            rest = rest.dropFirst(length)
        }
        return sums <= 1
    }

    /// Computes CRC-32C by long division, most significant bit first.
    static func checksum(_ bytes: [UInt8]) -> UInt32 {
        var remainder: UInt32 = .max
        for byte in bytes {
            for bit in 0..<8 {
                let carry = remainder >> 31 ^ UInt32(byte >> UInt8(bit) & 1)
                remainder = remainder << 1 ^ (carry == 1 ? 0x1EDC_6F41 : 0)
            }
        }
        return (0..<32).reduce(0) { $0 | (remainder >> UInt32($1) & 1) << UInt32(31 - $1) } ^ .max
    }
}
