/// The key of a value in a ``Slab``, valid until the value is removed.
///
/// Register a source with the key's ``token``, and each event returns the key. A late event cannot
/// reach the next value in the same slot.
@frozen public struct SlabKey: Hashable, Sendable {
    /// The number of the slot, less than the slab's capacity.
    public let index: UInt32

    /// How many values the slot held before, modulo 2³¹.
    public let generation: UInt32

    /// The key as a ``Token``.
    ///
    /// It is never negative, so negative tokens are free for other sources.
    @inlinable public var token: Token { Token(Int(generation) << 32 | Int(index)) }

    @usableFromInline
    init(index: UInt32, generation: UInt32) {
        self.index = index
        self.generation = generation
    }

    /// Extracts the key from a token that ``token`` created.
    ///
    /// Returns `nil` for negative tokens.
    @inlinable
    public init?(_ token: Token) {
        guard token.rawValue >= 0 else { return nil }
        let index = UInt32(truncatingIfNeeded: token.rawValue)
        self.init(index: index, generation: UInt32(truncatingIfNeeded: token.rawValue >> 32))
    }
}
