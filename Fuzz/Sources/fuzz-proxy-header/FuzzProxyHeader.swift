internal import FuzzSupport
internal import SystemPackage
internal import Verypoll

@testable internal import StrictJSON
@testable internal import VerypollConfiguration
@testable internal import VerypollDaemon
@testable internal import VerypollServer

/// Compares the parsing of whole, truncated and garbled PROXY headers with a simple parser.
private let target = FuzzTarget(seeds: seeds) { input in
    let bytes = input.indices.map { input[$0] }
    compare(bytes)
    roundTrip(Script(input))
    compareGarbled(Script(input))
    compare(withChecksum(bytes))
}

private let seeds: [[UInt8]] = {
    let signature = Array("\r\n\r\n\0\r\nQUIT\n".utf8)
    let v4: [UInt8] = [10, 0, 0, 1, 10, 0, 0, 2, 0xDC, 0x04, 0x01, 0xBB]
    let unix =
        Array("/run/a".utf8) + Array(repeating: 0, count: 103) + [0x62]
        + Array(repeating: 0, count: 106)
    let lines = [
        "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\nGET", "PROXY UNKNOWN\r\n",
        "PROXY TCP6 2001:db8::1 ::ffff:1.2.3.4 65535 0\r\n", "PROXY UNKNOWN ::1 ::1 1 1\r\n",
    ]
    // The longest valid line; one more byte is too long.
    let longest = "PROXY UNKNOWN " + String(repeating: "x", count: 91) + "\r\n"
    return (lines + [longest]).map { Array($0.utf8) } + [
        signature + [0x20, 0x00, 0, 0],
        signature + [0x21, 0x11, 0, 12] + v4,
        signature + [0x21, 0x11, 0, 17] + v4 + [1, 0, 2, 0x68, 0x32],
        signature + [0x21, 0x11, 0, 19] + v4 + [3, 0, 4, 0, 0, 0, 0],
        signature + [0x21, 0x21, 0, 36] + Array(0..<36),
        signature + [0x21, 0x31, 0, 216] + unix,
    ]
}()

/// Checks that the result follows the specification, and is known once the whole header has
/// arrived.
private func compare(_ bytes: [UInt8]) {
    let verdict = ProxyHeader.parse(bytes.span)
    switch (verdict, Reading(bytes)) {
    case (.complete(let header, let byteCount), let reading?):
        require(header.origin == reading.origin, "\(header.origin) is not \(reading.origin)")
        require(byteCount == reading.byteCount, "\(byteCount) bytes, not \(reading.byteCount)")
    case (.complete(let header, _), nil): require(false, "\(header) is not a header")
    case (_, let reading?): require(false, "\(verdict), not \(reading)")
    case (_, nil): break
    }
    for count in 0..<bytes.count {
        let earlier = ProxyHeader.parse(bytes.span.extracting(first: count))
        guard earlier != .incomplete else { continue }
        require(earlier == verdict, "\(earlier) of \(count) bytes became \(verdict)")
        if case .complete(_, let end) = earlier { require(end == count, "\(end), not \(count)") }
        return
    }
    if case .complete(_, let end) = verdict { require(end == bytes.count, "decided too late") }
}

/// Checks that a written header is parsed back, as far as its version can represent it.
private func roundTrip(_ input: consuming Script) {
    let header = nextHeader(&input)
    let line = [UInt8](capacity: ProxyHeader.longestLine) { header.write(.v1, into: &$0) }
    let binary = [UInt8](capacity: ProxyHeader.longestBinary) { header.write(.v2, into: &$0) }
    for bytes in [line, binary] {
        compare(bytes)
        guard case .complete(let found, bytes.count) = ProxyHeader.parse(bytes.span) else {
            return require(false, "\(header) became \(bytes)")
        }
        switch (header.origin, found.origin) {
        case (.tcp(let source, let destination), .tcp(let from, let to)):
            require(from.ip.unmapped == source.ip.unmapped, "\(source) became \(from)")
            require(to.ip.unmapped == destination.ip.unmapped, "\(destination) became \(to)")
            require(from.port == source.port && to.port == destination.port, "wrong ports")
        case (.local, .local),
            (.unix, .local) where bytes == line:
            break
        default: require(found == header, "\(header) became \(found)")
        }
    }
}

/// Compares the result for a slightly garbled line with the specification.
private func compareGarbled(_ input: consuming Script) {
    let edits = (0..<1 + input.next(below: 4)).map { _ in input.next(UInt32.self) }
    let header = nextHeader(&input)
    var line = [UInt8](capacity: ProxyHeader.longestLine) { header.write(.v1, into: &$0) }
    let letters = Array("0129af:. \r\nTU".utf8)
    for edit in edits {
        let index = Int(edit >> 16) % line.count
        let letter = letters[Int(edit >> 8 & 0xFF) % letters.count]
        switch edit % 3 {
        case 0: line.insert(letter, at: index)
        case 1: line[index] = letter
        default: line.remove(at: index)
        }
    }
    compare(line)
}

private func nextHeader(_ input: inout Script) -> ProxyHeader {
    switch input.next(below: 4) {
    case 0: ProxyHeader(.local)
    case 1: ProxyHeader(.unix(source: nextUnix(&input), destination: nextUnix(&input)))
    default: ProxyHeader(.tcp(source: nextTCP(&input), destination: nextTCP(&input)))
    }
}

private func nextTCP(_ input: inout Script) -> SocketAddress {
    let port = input.next(UInt16.self)
    switch input.next(below: 3) {
    case 0: return SocketAddress(IPAddress(v4: input.next(UInt32.self)), port: port)
    case 1:
        let bits = UInt128(input.next(UInt32.self))
        return SocketAddress(IPAddress(v6: 0xFFFF << 32 | bits), port: port)
    default:
        let kept = input.next(UInt8.self)
        var bits: UInt128 = 0
        for group in 0..<8 {
            bits = bits << 16 | (kept & 1 << group == 0 ? 0 : UInt128(input.next(UInt16.self)))
        }
        return SocketAddress(IPAddress(v6: bits), port: port)
    }
}

private func nextUnix(_ input: inout Script) -> UnixAddress {
    let kind = input.next(below: 3)
    // The name neither begins nor ends with a zero byte, which would be padding, and contains no
    // slash, because a path merges repeated slashes.
    let name = (0..<1 + input.next(below: 107)).map { _ in input.next(UInt8.self) | 0x80 }
    switch kind {
    case 0: return .unnamed
    case 1: return .abstract(name)
    default:
        let text = name.map(CChar.init(bitPattern:)) + [0]
        return .path(FilePath(platformString: text))
    }
}

/// Returns the bytes with a correct checksum, if they have a place for one after IPv4 addresses.
private func withChecksum(_ bytes: [UInt8]) -> [UInt8] {
    guard bytes.count >= 35, bytes[28] == 3 else { return bytes }
    let end = min(bytes.count, 16 + Int(bytes[14]) << 8 + Int(bytes[15]))
    guard end >= 35 else { return bytes }
    let zeroed = bytes[..<31] + [0, 0, 0, 0] + bytes[35..<end]
    let sum = Reading.checksum(Array(zeroed))
    let field = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: sum >> $0) }
    return bytes[..<31] + field + bytes[35...]
}

@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    unsafe target.run(bytes, count)
}

@_cdecl("LLVMFuzzerCustomMutator")
func mutate(
    _ bytes: UnsafeMutablePointer<UInt8>,
    _ count: Int,
    _ capacity: Int,
    _ random: CUnsignedInt
) -> Int {
    unsafe target.mutate(bytes, count, capacity, random)
}
