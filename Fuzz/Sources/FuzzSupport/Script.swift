/// An input that is interpreted as a series of decisions.
public struct Script: ~Copyable {
    private let bytes: [UInt8]
    private var position = 0

    /// Reads `input` from its beginning.
    public init(_ input: Span<UInt8>) {
        bytes = input.indices.map { input[$0] }
    }

    /// Whether all bytes have been read.
    public var isOver: Bool { position == bytes.count }

    /// Returns the next number of `type`, least significant byte first; missing bytes are 0.
    public mutating func next<Number: FixedWidthInteger>(_ type: Number.Type) -> Number {
        var number: Number = 0
        for shift in stride(from: 0, to: Number.bitWidth, by: 8) where !isOver {
            number |= Number(truncatingIfNeeded: bytes[position]) << shift
            position += 1
        }
        return number
    }

    /// Returns the next byte, as a number below `limit`.
    public mutating func next(below limit: Int) -> Int {
        Int(next(UInt8.self)) % limit
    }
}
