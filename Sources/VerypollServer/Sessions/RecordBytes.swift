/// The reason that bytes cannot be decoded.
package enum RecordError: Error, Equatable {
    /// The bytes are not a file of sessions.
    case foreign
    /// The bytes have another version of the format.
    case version(UInt32)
    /// The bytes end too early or contain impossible values.
    case malformed
}

/// Appends numbers, texts and bytes to a byte array.
package struct RecordWriter {
    /// The bytes written so far.
    package private(set) var bytes: [UInt8] = []

    /// Makes a writer without any bytes.
    package init() {}

    /// Appends a number, least significant byte first.
    package mutating func append(_ number: some FixedWidthInteger) {
        for shift in stride(from: 0, to: number.bitWidth, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: number >> shift))
        }
    }

    /// Appends the length of a text and its UTF-8 bytes, of which all after the first 65,535 are
    /// cut off.
    package mutating func append(_ text: String) {
        let utf8 = text.utf8.prefix(Int(UInt16.max))
        append(UInt16(utf8.count))
        bytes.append(contentsOf: utf8)
    }

    /// Appends bytes unchanged.
    package mutating func append(contentsOf other: [UInt8]) {
        bytes.append(contentsOf: other)
    }
}

/// Reads what a ``RecordWriter`` has written; any other bytes cause an error, never a trap.
package struct RecordReader {
    private var rest: ArraySlice<UInt8>

    /// Makes a reader that starts at the first byte.
    package init(_ bytes: ArraySlice<UInt8>) {
        rest = bytes
    }

    /// Whether all bytes were read.
    package var isAtEnd: Bool { rest.isEmpty }

    /// Reads this many bytes.
    package mutating func bytes(_ count: Int) throws(RecordError) -> ArraySlice<UInt8> {
        guard count >= 0, count <= rest.count else { throw .malformed }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    /// Reads a number.
    package mutating func integer<Number: FixedWidthInteger & UnsignedInteger>()
        throws(RecordError) -> Number
    {
        var number: Number = 0
        for byte in try bytes(Number.bitWidth / 8).reversed() {
            number = number << 8 | Number(byte)
        }
        return number
    }

    /// Reads a text; throws ``RecordError/malformed`` if it is not valid UTF-8.
    package mutating func text() throws(RecordError) -> String {
        let length: UInt16 = try integer()
        guard let text = String(validating: try bytes(Int(length)), as: UTF8.self) else {
            throw .malformed
        }
        return text
    }
}
