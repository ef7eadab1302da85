/// Builds a version 2 PROXY header from its parts.
///
/// `length` overrides the length field, to make it wrong.
package func binaryHeader(
    _ family: UInt8,
    _ rest: [UInt8],
    command: UInt8 = 0x21,
    length: Int? = nil
) -> [UInt8] {
    let length = length ?? rest.count
    return Array("\r\n\r\n\0\r\nQUIT\n".utf8)
        + [command, family, UInt8(length >> 8), UInt8(length & 0xFF)] + rest
}

/// Builds a TLV of a version 2 header.
package func headerExtension(_ type: UInt8, _ value: [UInt8]) -> [UInt8] {
    [type, UInt8(value.count >> 8), UInt8(value.count & 0xFF)] + value
}

/// Returns the header with its CRC-32C filled in at the four bytes from `index`.
package func checksummed(_ header: [UInt8], at index: Int) -> [UInt8] {
    let sum = crc32c(header[..<index] + [0, 0, 0, 0] + header[(index + 4)...])
    return header[..<index] + [24, 16, 8, 0].map { UInt8(sum >> $0 & 0xFF) }
        + header[(index + 4)...]
}

/// Computes the checksum of RFC 3720 (CRC-32C) bit by bit.
package func crc32c(_ bytes: some Sequence<UInt8>) -> UInt32 {
    ~bytes.reduce(.max) { sum, byte in
        (0..<8).reduce(sum ^ UInt32(byte)) { sum, _ in sum >> 1 ^ (sum & 1) * 0x82F6_3B78 }
    }
}

/// The address block of a header for TCP over IPv4.
package let headerAddresses: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8, 0, 9, 0, 10]

/// Builds a header of `byteCount` bytes, with its checksum between two other TLVs.
package func longHeader(_ byteCount: Int) -> [UInt8] {
    let first = [UInt8](repeating: 7, count: 1000)
    let last = [UInt8](repeating: 9, count: byteCount - 28 - 1003 - 7 - 3)
    let extensions =
        headerExtension(0xE0, first) + headerExtension(3, [0, 0, 0, 0]) + headerExtension(4, last)
    return checksummed(binaryHeader(0x11, headerAddresses + extensions), at: 28 + 1003 + 3)
}
