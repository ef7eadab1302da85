internal import FuzzSupport
internal import Glibc
internal import Verypoll

/// Compares address parsing and printing with inet_pton(3) and inet_ntop(3), and round-trips
/// addresses.
private let target = FuzzTarget(
    seeds: [
        "127.0.0.1:80", "[::1]:65535", "[fe80::1%4294967295]:0", "::ffff:10.0.0.1",
        "255.255.255.255",
        "2001:db8:1:2:3:4:5:6", "1::", "::1.2.3.4", "1:0:0:2::3",
    ]
) { input in
    let bytes = input.indices.map { input[$0] }
    checkText(String(decoding: bytes, as: UTF8.self))
    var script = Script(input)
    checkAddress(IPAddress(v4: script.next(UInt32.self)))
    var zeroed = Script(input)
    let kept = zeroed.next(UInt8.self)
    var groups: UInt128 = 0
    // Runs of zero groups are the difficult part of printing.
    for group in 0..<8 {
        let bits = kept & 1 << group == 0 ? 0 : zeroed.next(UInt16.self)
        groups = groups << 16 | UInt128(bits)
    }
    checkAddress(
        IPAddress(v6: groups),
        port: zeroed.next(UInt16.self),
        zone: zeroed.next(UInt32.self)
    )
}

/// The library must accept the same texts as the C library, with the same addresses.
private func checkText(_ text: String) {
    let ip = IPAddress(text)
    let expected = parsed(text)
    require(ip == expected, "\(text.debugDescription) does not parse to \(String(describing: ip))")
    if let ip { checkAddress(ip) }
    // A text that is an address must also parse before a port.
    let isV6 = ip?.family == .v6
    let address = SocketAddress(isV6 ? "[\(text)%7]:65535" : "\(text):65535")
    let wanted = ip.map { SocketAddress($0, port: 65535, zone: isV6 ? 7 : 0) }
    if !text.contains(":") || isV6 { require(address == wanted, "\(text) with a port") }

    guard let address = SocketAddress(text) else { return }
    require(SocketAddress(address.description) == address, "\(address) does not round-trip")
    guard let colon = text.lastIndex(of: ":") else { return require(false, "\(text) has no port") }
    require(address.port == UInt16(text[text.index(after: colon)...]), "the port of \(text)")
    var host = text[..<colon]
    if host.hasPrefix("[") { host = host.dropFirst().dropLast().prefix { $0 != "%" } }
    require(address.ip == parsed(String(host)), "the host of \(text)")
}

/// An address must round-trip through its text, which must equal the C library's where both follow
/// RFC 5952.
private func checkAddress(_ ip: IPAddress, port: UInt16 = 1, zone: UInt32 = 0) {
    require(IPAddress(ip.description) == ip, "\(ip) does not round-trip")
    // The C library writes ::102:304 as ::1.2.3.4, a form that RFC 4291 deprecates.
    if ip.family == .v4 || ip.bits >> 32 != 0 {
        require(ip.description == printed(ip), "\(ip) does not print as \(printed(ip))")
    }
    let address = SocketAddress(ip, port: port, zone: ip.family == .v6 ? zone : 0)
    require(SocketAddress(address.description) == address, "\(address) does not round-trip")
    require(ip.unmapped.family == .v4 || !ip.isIPv4Mapped, "\(ip) remains mapped")
}

/// Returns the address that inet_pton(3) parses from the text.
private func parsed(_ text: String) -> IPAddress? {
    // A C string would end at the zero byte, and its beginning might be accepted.
    guard !text.utf8.contains(0) else { return nil }
    var v4: UInt32 = 0
    if unsafe inet_pton(AF_INET, text, &v4) == 1 { return IPAddress(v4: UInt32(bigEndian: v4)) }
    var v6: UInt128 = 0
    guard unsafe inet_pton(AF_INET6, text, &v6) == 1 else { return nil }
    return IPAddress(v6: UInt128(bigEndian: v6))
}

/// Returns the text that inet_ntop(3) prints.
private func printed(_ ip: IPAddress) -> String {
    let size = Int(INET6_ADDRSTRLEN)
    var v4 = UInt32(truncatingIfNeeded: ip.bits).bigEndian
    var v6 = ip.bits.bigEndian
    return unsafe String(unsafeUninitializedCapacity: size) { buffer in
        unsafe buffer.withMemoryRebound(to: CChar.self) { text in
            let written =
                ip.family == .v4
                ? unsafe inet_ntop(AF_INET, &v4, text.baseAddress, socklen_t(size))
                : unsafe inet_ntop(AF_INET6, &v6, text.baseAddress, socklen_t(size))
            return unsafe written.map { unsafe strlen($0) } ?? 0
        }
    }
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
