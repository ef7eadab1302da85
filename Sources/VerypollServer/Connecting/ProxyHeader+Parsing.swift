internal import SystemPackage
internal import Verypoll

extension ProxyHeader {
    /// The result of parsing the first bytes of a connection.
    enum Parse: Equatable, Sendable {
        /// The bytes are the beginning of a header.
        case incomplete
        /// The bytes cannot become a valid header.
        case malformed(Reason)
        /// A complete header of this many bytes; the following bytes belong to the connection.
        case complete(ProxyHeader, byteCount: Int)
    }

    /// The error in a header, as words that follow "the PROXY header".
    package enum Reason: String, Equatable, Sendable {
        case signature = "has no valid signature"
        case line = "has no valid end of line"
        case protocolName = "has an unknown protocol"
        case fields = "does not have two addresses and two ports"
        case address = "has a malformed address"
        case port = "has a malformed port"
        case version = "has an unknown version"
        case command = "has an unknown command"
        case family = "has an unknown family of addresses"
        case transport = "is not for a stream connection"
        case length = "has a wrong length"
        case extensions = "has incomplete extensions"
        case checksum = "has a wrong checksum"
    }

    /// Parses the header at the beginning of a connection.
    ///
    /// - Parameter bytes: All bytes received so far.
    /// - Returns: The result, decided as early as possible: `incomplete` means that some following
    ///   bytes would complete a valid header.
    static func parse(_ bytes: Span<UInt8>) -> Parse {
        guard bytes.agree(with: signature) else { return parseLine(bytes) }
        return bytes.count < signature.utf8.count ? .incomplete : parseBinary(bytes)
    }
}

// MARK: - Version one

extension ProxyHeader {
    private static let lines: [(beginning: String, family: IPAddress.Family?)] = [
        ("PROXY TCP4 ", .v4), ("PROXY TCP6 ", .v6), ("PROXY UNKNOWN ", nil),
        ("PROXY UNKNOWN\r", nil),
    ]

    private static func parseLine(_ bytes: Span<UInt8>) -> Parse {
        var isPossible = false
        for line in lines where bytes.agree(with: line.beginning) {
            let start = line.beginning.utf8.count
            if bytes.count >= start { return parseLine(bytes, from: start, family: line.family) }
            isPossible = true
        }
        if isPossible { return .incomplete }
        return .malformed(bytes.agree(with: "PROXY ") ? .protocolName : .signature)
    }

    /// Parses a complete line whose addresses begin at `start` and are ignored if there is no
    /// family.
    private static func parseLine(
        _ bytes: Span<UInt8>,
        from start: Int,
        family: IPAddress.Family?
    ) -> Parse {
        // A line feed must follow, so the carriage return is not the last byte of the longest line.
        let room = longestLine - 1
        var end = 0
        while end < min(bytes.count, room), bytes[end] != Ascii.return, bytes[end] != Ascii.feed {
            end += 1
        }
        if end == room { return .malformed(.line) }
        if end == bytes.count { return .incomplete }
        guard bytes[end] == Ascii.return else { return .malformed(.line) }
        if end + 1 == bytes.count { return .incomplete }
        guard bytes[end + 1] == Ascii.feed else { return .malformed(.line) }
        guard let family else { return .complete(ProxyHeader(.local), byteCount: end + 2) }
        return switch parseFields((start..<end).map { bytes[$0] }, family: family) {
        case .success(let origin): .complete(ProxyHeader(origin), byteCount: end + 2)
        case .failure(let reason): .malformed(reason)
        }
    }

    private static func parseFields(
        _ text: [UInt8],
        family: IPAddress.Family
    ) -> Result<Origin, Reason> {
        let fields = text.split(separator: Ascii.space, omittingEmptySubsequences: false)
        guard fields.count == 4 else { return .failure(.fields) }
        let ips = fields[..<2].compactMap { IPAddress(String(decoding: $0, as: UTF8.self)) }
        guard ips.count == 2, ips[0].family == family, ips[1].family == family else {
            return .failure(.address)
        }
        let ports = fields[2...].compactMap(port)
        guard ports.count == 2 else { return .failure(.port) }
        return .success(
            .tcp(
                source: SocketAddress(ips[0], port: ports[0]),
                destination: SocketAddress(ips[1], port: ports[1])
            )
        )
    }

    /// Parses a number without a sign or leading zeros.
    private static func port(_ text: ArraySlice<UInt8>) -> UInt16? {
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard text.allSatisfy(digits.contains), text.count == 1 || text.first != digits.lowerBound
        else { return nil }
        return UInt16(String(decoding: text, as: UTF8.self))
    }

    private enum Ascii {
        static let `return` = UInt8(ascii: "\r")
        static let feed = UInt8(ascii: "\n")
        static let space = UInt8(ascii: " ")
    }
}

extension ProxyHeader.Reason: Error {}

// MARK: - Version two

extension ProxyHeader {
    static let checksumType: UInt8 = 3

    /// The description of a version 2 header in its first bytes.
    private struct Layout {
        let family: UInt8
        /// Whether the header has addresses, followed by extensions.
        let isSpecified: Bool
        /// The index of the first extension.
        let extensions: Int
        let end: Int
    }

    /// Parses a header that begins with the signature.
    private static func parseBinary(_ bytes: Span<UInt8>) -> Parse {
        switch layout(of: bytes) {
        case .failure(let reason): return .malformed(reason)
        case .success(nil): return .incomplete
        case .success(let layout?):
            guard bytes.count >= layout.end else { return .incomplete }
            guard layout.isSpecified else {
                return .complete(ProxyHeader(.local), byteCount: layout.end)
            }
            let header = bytes.extracting(..<layout.end)
            if let reason = checkExtensions(header, from: layout.extensions) {
                return .malformed(reason)
            }
            let origin = origin(of: layout.family, bytes)
            return .complete(ProxyHeader(origin), byteCount: layout.end)
        }
    }

    /// Returns the header at the beginning of a connection, if it is longer than
    /// ``LongProxyHeader/longestAwaited`` and must be read in parts.
    ///
    /// - Parameter bytes: Bytes for which ``parse(_:)`` returns `incomplete`.
    /// - Returns: The header; `nil` if it is short, or if its addresses have not arrived yet.
    static func long(_ bytes: Span<UInt8>) -> LongProxyHeader? {
        guard bytes.count >= prefixLength, bytes.agree(with: signature),
            case .success(let layout?) = layout(of: bytes),
            layout.end > LongProxyHeader.longestAwaited, bytes.count >= layout.extensions
        else { return nil }
        guard layout.isSpecified else {
            return LongProxyHeader(ProxyHeader(.local), byteCount: layout.end, extensions: nil)
        }
        return LongProxyHeader(
            ProxyHeader(origin(of: layout.family, bytes)),
            byteCount: layout.end,
            extensions: layout.extensions
        )
    }

    /// Parses the first bytes of a header that begins with the signature; `nil` if there are too
    /// few.
    private static func layout(of bytes: Span<UInt8>) -> Result<Layout?, Reason> {
        guard bytes.count > 12 else { return .success(nil) }
        guard bytes[12] >> 4 == 2 else { return .failure(.version) }
        guard bytes[12] & 0xF <= 1 else { return .failure(.command) }
        guard bytes.count > 13 else { return .success(nil) }
        // The addresses of a LOCAL header are skipped, whatever their family is.
        let family = bytes[12] & 0xF == 0 ? 0 : bytes[13] >> 4
        let transport = bytes[12] & 0xF == 0 ? 0 : bytes[13] & 0xF
        guard family <= 3 else { return .failure(.family) }
        guard transport <= 1 else { return .failure(.transport) }
        guard bytes.count >= prefixLength else { return .success(nil) }
        let end = prefixLength + Int(bytes.number(UInt16.self, at: 14))
        // AF_UNSPEC has no address length, so the extensions cannot be located.
        let isSpecified = family != 0 && transport != 0
        let lengths: [4 of Int] = [0, 2 * 6, 2 * 18, 2 * unixLength]
        let extensions = prefixLength + (isSpecified ? lengths[Int(family)] : 0)
        guard end >= extensions else { return .failure(.length) }
        return .success(
            Layout(family: family, isSpecified: isSpecified, extensions: extensions, end: end)
        )
    }

    private static func origin(of family: UInt8, _ bytes: Span<UInt8>) -> Origin {
        let start = prefixLength
        switch family {
        case 1:
            return .tcp(
                source: SocketAddress(
                    IPAddress(v4: bytes.number(UInt32.self, at: start)),
                    port: bytes.number(UInt16.self, at: start + 8)
                ),
                destination: SocketAddress(
                    IPAddress(v4: bytes.number(UInt32.self, at: start + 4)),
                    port: bytes.number(UInt16.self, at: start + 10)
                )
            )
        case 2:
            return .tcp(
                source: SocketAddress(
                    IPAddress(v6: bytes.number(UInt128.self, at: start)),
                    port: bytes.number(UInt16.self, at: start + 32)
                ),
                destination: SocketAddress(
                    IPAddress(v6: bytes.number(UInt128.self, at: start + 16)),
                    port: bytes.number(UInt16.self, at: start + 34)
                )
            )
        default:
            return .unix(
                source: unixAddress(bytes, at: start),
                destination: unixAddress(bytes, at: start + unixLength)
            )
        }
    }

    private static func unixAddress(_ bytes: Span<UInt8>, at start: Int) -> UnixAddress {
        let field = (start..<start + unixLength).map { bytes[$0] }
        if field[0] != 0 {
            let path = field.prefix { $0 != 0 }.map(CChar.init(bitPattern:)) + [0]
            return .path(FilePath(platformString: path))
        }
        guard let last = field.lastIndex(where: { $0 != 0 }) else { return .unnamed }
        return .abstract(Array(field[1...last]))
    }

    /// Checks the extensions, each of which is a type, a length and that many bytes.
    ///
    /// - Returns: The error, or `nil` if there is none.
    private static func checkExtensions(_ header: Span<UInt8>, from start: Int) -> Reason? {
        var position = start
        var checksum: Range<Int>?
        while position < header.count {
            guard header.count - position >= 3 else { return .extensions }
            let type = header[position]
            let value = position + 3
            position = value + Int(header.number(UInt16.self, at: value - 2))
            guard position <= header.count else { return .extensions }
            guard type == checksumType else { continue }
            // The checksum covers the whole header, so a second one could not be right as well.
            guard position - value == 4, checksum == nil else { return .checksum }
            checksum = value..<position
        }
        guard let checksum else { return nil }
        let expected = header.number(UInt32.self, at: checksum.lowerBound)
        return header.crc32c(zeroing: checksum) == expected ? nil : .checksum
    }
}

extension Span<UInt8> {
    /// Returns whether the bytes begin with the text or, if there are fewer bytes, the text with
    /// the bytes.
    fileprivate func agree(with text: String) -> Bool {
        for (index, byte) in text.utf8.enumerated() where index < count && self[index] != byte {
            return false
        }
        return true
    }

    /// Returns the number at an index, most significant byte first.
    fileprivate func number<Number: FixedWidthInteger>(_ type: Number.Type, at start: Int) -> Number
    {
        var number: Number = 0
        for index in start..<start + Number.bitWidth / 8 {
            number = number << 8 | Number(self[index])
        }
        return number
    }

    /// Returns the checksum of the bytes as if some of them were zero.
    func crc32c(zeroing zeros: Range<Int>) -> UInt32 {
        var checksum = ChecksumC()
        for index in indices { checksum.append(zeros.contains(index) ? 0 : self[index]) }
        return checksum.value
    }
}
