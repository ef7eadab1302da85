internal import Verypoll

/// A PROXY header of version 2 that is read in parts, because the kernel may not have room for all
/// of it.
///
/// Only the content of the header and the progress of the checks are stored, not the bytes.
package struct LongProxyHeader: Equatable, Sendable {
    /// The length of the longest header that is left in the kernel's buffer until it is complete.
    ///
    /// Such a header uses no memory of this process, and a receive buffer holds that many bytes
    /// however they arrive.
    static let longestAwaited = 4096

    /// The content of the header, once it is complete and well-formed.
    let header: ProxyHeader
    /// The number of bytes that have not been read yet.
    private(set) var remaining: Int

    private let isChecked: Bool
    /// The number of unread bytes before the first extension.
    private var fixedCount: Int
    private var checksum = ChecksumC()
    private var expected: UInt32?
    private var field = Field.type

    /// The part of the header that the next byte belongs to.
    private enum Field: Equatable {
        case type
        case highLength(type: UInt8)
        case lowLength(type: UInt8, high: UInt8)
        case value(remaining: Int)
        case checksum(remaining: Int)
    }

    /// Creates the state for a header whose bytes are all still unread.
    ///
    /// - Parameters:
    ///   - header: The content of its first bytes.
    ///   - byteCount: Its length.
    ///   - extensions: The index of its extensions; `nil` if the bytes after the addresses are
    ///     ignored.
    init(_ header: ProxyHeader, byteCount: Int, extensions: Int?) {
        self.header = header
        remaining = byteCount
        isChecked = extensions != nil
        fixedCount = extensions ?? byteCount
    }

    /// Reads the next bytes, at most ``remaining``.
    ///
    /// - Returns: The error in the header, or `nil` if there is none.
    mutating func read(_ bytes: Span<UInt8>) -> ProxyHeader.Reason? {
        precondition(bytes.count <= remaining, "bytes after the end of the header")
        remaining -= bytes.count
        guard isChecked else { return nil }
        for index in bytes.indices {
            if let reason = read(bytes[index]) { return reason }
        }
        guard remaining == 0 else { return nil }
        guard field == .type else { return .extensions }
        return expected == nil || expected == checksum.value ? nil : .checksum
    }

    private mutating func read(_ byte: UInt8) -> ProxyHeader.Reason? {
        if case .checksum(let rest) = field {
            expected = (expected ?? 0) << 8 | UInt32(byte)
            checksum.append(0)
            field = rest > 1 ? .checksum(remaining: rest - 1) : .type
            return nil
        }
        checksum.append(byte)
        guard fixedCount == 0 else {
            fixedCount -= 1
            return nil
        }
        switch field {
        case .type: field = .highLength(type: byte)
        case .highLength(let type): field = .lowLength(type: type, high: byte)
        case .lowLength(let type, let high):
            let length = Int(high) << 8 | Int(byte)
            if type != ProxyHeader.checksumType {
                field = length > 0 ? .value(remaining: length) : .type
            } else if length == 4, expected == nil {
                field = .checksum(remaining: 4)
            } else {
                return .checksum
            }
        case .value(let rest): field = rest > 1 ? .value(remaining: rest - 1) : .type
        case .checksum: break
        }
        return nil
    }
}

/// Castagnoli's checksum CRC-32C, computed as in appendix B of RFC 4960.
struct ChecksumC: Equatable, Sendable {
    private var remainder = UInt32.max

    /// The checksum of the bytes so far.
    var value: UInt32 { ~remainder }

    /// Adds a byte.
    mutating func append(_ byte: UInt8) {
        remainder ^= UInt32(byte)
        for _ in 0..<8 { remainder = remainder >> 1 ^ (remainder & 1 == 0 ? 0 : 0x82F6_3B78) }
    }
}
