/// An input that is read as a series of decisions.
public struct Script: ~Copyable {
    private let bytes: [UInt8]
    private var position = 0

    /// Reads `input` from its beginning.
    public init(_ input: Span<UInt8>) {
        bytes = input.indices.map { input[$0] }
    }

    /// Whether all was read.
    public var isOver: Bool { position == bytes.count }

    /// The next number of `type`, least significant byte first; what is missing is 0.
    public mutating func next<Number: FixedWidthInteger>(_ type: Number.Type) -> Number {
        var number: Number = 0
        for shift in stride(from: 0, to: Number.bitWidth, by: 8) where !isOver {
            number |= Number(truncatingIfNeeded: bytes[position]) << shift
            position += 1
        }
        return number
    }

    /// The next byte, as a number below `limit`.
    public mutating func next(below limit: Int) -> Int {
        Int(next(UInt8.self)) % limit
    }
}
