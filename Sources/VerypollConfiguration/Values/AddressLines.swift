/// Parses the lines of a file of address blocks.
///
/// A line has one block in CIDR notation, or is empty. A comment begins with `#` or `;` and ends
/// with the line. Blocks in their usual spelling are parsed without an allocation, and all others
/// by ``AddressPrefix``.
struct AddressLines {
    /// The most invalid lines that are listed; parsing ends after them.
    static let problemLimit = 20

    /// The number of bytes after which a text is certainly not a block.
    private static let longestBlock = 64

    /// An invalid line.
    struct Problem: Equatable {
        let line: Int
        let column: Int
        let reason: String
    }

    private(set) var entryCount = 0
    private(set) var problems: [Problem] = []
    private var builder = AddressSet.Builder()

    /// The addresses in all blocks.
    mutating func addresses() -> AddressSet { builder.finish() }

    /// Parses a text.
    ///
    /// - Parameters:
    ///   - text: The bytes of the file.
    ///   - limit: The number of blocks after which parsing ends.
    init(_ text: [UInt8], upTo limit: Int) {
        let bytes = text.span
        var offset = 0
        var line = 1
        while offset < bytes.count, problems.count < Self.problemLimit, entryCount <= limit {
            let lineStart = offset
            while offset < bytes.count, Self.isSpace(bytes[offset]) { offset += 1 }
            let start = offset
            while offset < bytes.count, !Self.endsBlock(bytes[offset]) { offset += 1 }
            let block = start..<offset
            while offset < bytes.count, Self.isSpace(bytes[offset]) { offset += 1 }
            let end = offset
            while offset < bytes.count, bytes[offset] != UInt8(ascii: "\n") { offset += 1 }
            if end < offset, !Self.beginsComment(bytes[end]) {
                let reason = "a line can have one block; write each block on a line of its own"
                problems.append(Problem(line: line, column: end - lineStart + 1, reason: reason))
            } else if !block.isEmpty {
                add(block, in: bytes, Place(line: line, column: start - lineStart + 1))
            }
            offset += 1
            line += 1
        }
    }

    private struct Place {
        let line: Int
        let column: Int
    }

    private mutating func add(_ block: Range<Int>, in bytes: Span<UInt8>, _ place: Place) {
        entryCount += 1
        if let (start, bitCount) = Self.v4(bytes, block) {
            return builder.add(v4: start, sharing: bitCount)
        }
        if let (start, bitCount) = Self.v6(bytes, block) {
            return builder.add(v6: start, sharing: bitCount)
        }
        var text: [UInt8] = []
        for offset in block.prefix(Self.longestBlock + 1) { text.append(bytes[offset]) }
        do throws(InvalidValue) {
            builder.add(try AddressPrefix(String(decoding: text, as: UTF8.self)))
        } catch {
            problems.append(
                Problem(line: place.line, column: place.column, reason: error.reason)
            )
        }
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
    }

    private static func beginsComment(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "#") || byte == UInt8(ascii: ";")
    }

    private static func endsBlock(_ byte: UInt8) -> Bool {
        isSpace(byte) || beginsComment(byte) || byte == UInt8(ascii: "\n")
    }
}

// MARK: - Blocks in their usual spelling

extension AddressLines {
    /// Parses a block of IPv4 addresses, or returns `nil` if its spelling is not the usual one.
    private static func v4(_ bytes: Span<UInt8>, _ block: Range<Int>) -> (UInt32, Int)? {
        var offset = block.lowerBound
        var address: UInt32 = 0
        for octet in 0..<4 {
            if octet > 0 {
                guard offset < block.upperBound, bytes[offset] == UInt8(ascii: ".") else {
                    return nil
                }
                offset += 1
            }
            guard let value = number(bytes, &offset, block.upperBound), value <= 255 else {
                return nil
            }
            address = address << 8 | UInt32(value)
        }
        guard let bitCount = bitCount(bytes, offset, block.upperBound, width: 32) else {
            return nil
        }
        return address & UInt32.max >> UInt32(bitCount) == 0 ? (address, bitCount) : nil
    }

    /// Parses a block of IPv6 addresses without dots, or returns `nil` if its spelling is not the
    /// usual one or if its addresses are IPv4-mapped.
    private static func v6(_ bytes: Span<UInt8>, _ block: Range<Int>) -> (UInt128, Int)? {
        var offset = block.lowerBound
        // The groups before and after the double colon.
        var groups: (head: UInt128, tail: UInt128) = (0, 0)
        var counts = (head: 0, tail: 0)
        var hasGap = false
        if isColon(bytes, offset, block), isColon(bytes, offset + 1, block) {
            hasGap = true
            offset += 2
        }
        while let group = group(bytes, &offset, block.upperBound) {
            if hasGap {
                groups.tail = groups.tail << 16 | UInt128(group)
                counts.tail += 1
            } else {
                groups.head = groups.head << 16 | UInt128(group)
                counts.head += 1
            }
            guard counts.head + counts.tail <= 8 else { return nil }
            guard isColon(bytes, offset, block) else { break }
            offset += 1
            guard isColon(bytes, offset, block) else { continue }
            guard !hasGap else { return nil }
            hasGap = true
            offset += 1
        }
        // A colon before the end that is not part of a double colon ends no address.
        let isCut = isColon(bytes, offset - 1, block) && !isColon(bytes, offset - 2, block)
        let count = counts.head + counts.tail
        guard !isCut, hasGap ? count < 8 : count == 8,
            let bitCount = bitCount(bytes, offset, block.upperBound, width: 128)
        else { return nil }
        let address = groups.head << UInt128(16 * (8 - counts.head)) | groups.tail
        let rest = UInt128.max >> UInt128(bitCount)
        return address & rest == 0 && address >> 32 != 0xFFFF ? (address, bitCount) : nil
    }

    private static func isColon(_ bytes: Span<UInt8>, _ offset: Int, _ block: Range<Int>) -> Bool {
        block.contains(offset) && bytes[offset] == UInt8(ascii: ":")
    }

    /// Parses the prefix length at an offset, or returns the width if nothing is there.
    private static func bitCount(
        _ bytes: Span<UInt8>,
        _ offset: Int,
        _ end: Int,
        width: Int
    ) -> Int? {
        if offset == end { return width }
        guard bytes[offset] == UInt8(ascii: "/") else { return nil }
        var offset = offset + 1
        guard let value = number(bytes, &offset, end), offset == end, value <= width else {
            return nil
        }
        return value
    }

    /// Takes a decimal number of at most three digits without leading zeros.
    private static func number(_ bytes: Span<UInt8>, _ offset: inout Int, _ end: Int) -> Int? {
        let start = offset
        var value = 0
        while offset < end, offset - start < 4 {
            let digit = bytes[offset] &- UInt8(ascii: "0")
            guard digit <= 9 else { break }
            value = 10 * value + Int(digit)
            offset += 1
        }
        let count = offset - start
        guard count == 1 || (2...3).contains(count) && bytes[start] != UInt8(ascii: "0") else {
            return nil
        }
        return value
    }

    /// Takes a hexadecimal number of one to four digits.
    private static func group(_ bytes: Span<UInt8>, _ offset: inout Int, _ end: Int) -> Int? {
        let start = offset
        var value = 0
        while offset < end, offset - start < 4 {
            let byte = bytes[offset]
            let digit: Int
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = Int(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = Int(byte - UInt8(ascii: "a")) + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = Int(byte - UInt8(ascii: "A")) + 10
            default: return offset > start ? value : nil
            }
            value = value << 4 | digit
            offset += 1
        }
        return offset > start ? value : nil
    }
}
