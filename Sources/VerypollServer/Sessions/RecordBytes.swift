/// Why bytes are no record.
package enum RecordError: Error, Equatable {
    /// They are no file of sessions at all.
    case foreign
    /// They are of a process that writes them otherwise.
    case version(UInt32)
    /// They end too soon, or say what cannot be.
    case malformed
}

/// Writes numbers, texts and bytes one behind the other.
package struct RecordWriter {
    /// What was written.
    package private(set) var bytes: [UInt8] = []

    /// Begins with nothing.
    package init() {}

    /// Writes a number, the least significant byte first.
    package mutating func append(_ number: some FixedWidthInteger) {
        for shift in stride(from: 0, to: number.bitWidth, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: number >> shift))
        }
    }

    /// Writes a text, of which there are at most 65,535 bytes.
    package mutating func append(_ text: String) {
        let utf8 = text.utf8.prefix(Int(UInt16.max))
        append(UInt16(utf8.count))
        bytes.append(contentsOf: utf8)
    }

    /// Writes bytes as they are.
    package mutating func append(contentsOf other: [UInt8]) {
        bytes.append(contentsOf: other)
    }
}

/// Reads what a ``RecordWriter`` has written, and whatever else it is given, without a trap.
package struct RecordReader {
    private var rest: ArraySlice<UInt8>

    /// Reads `bytes` from their beginning.
    package init(_ bytes: ArraySlice<UInt8>) {
        rest = bytes
    }

    /// Whether all was read.
    package var isAtEnd: Bool { rest.isEmpty }

    /// Takes so many bytes.
    package mutating func bytes(_ count: Int) throws(RecordError) -> ArraySlice<UInt8> {
        guard count >= 0, count <= rest.count else { throw .malformed }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    /// Takes a number.
    package mutating func integer<Number: FixedWidthInteger & UnsignedInteger>()
        throws(RecordError) -> Number
    {
        var number: Number = 0
        for byte in try bytes(Number.bitWidth / 8).reversed() {
            number = number << 8 | Number(byte)
        }
        return number
    }

    /// Takes a text; what is no UTF-8 is malformed.
    package mutating func text() throws(RecordError) -> String {
        let length: UInt16 = try integer()
        guard let text = String(validating: try bytes(Int(length)), as: UTF8.self) else {
            throw .malformed
        }
        return text
    }
}
