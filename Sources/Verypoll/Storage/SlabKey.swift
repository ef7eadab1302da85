/// The place of a value in a ``Slab``, valid until the value is taken out and never again.
///
/// It goes into epoll as a ``Token`` and comes back with the event, so that an event which arrives
/// late cannot reach the next value in the same place.
@frozen public struct SlabKey: Hashable, Sendable {
    /// The number of the slot, less than the slab's capacity.
    public let index: UInt32

    /// How many values the slot had before, in 31 bits.
    public let generation: UInt32

    /// The same as a token, never negative, so that negative tokens are free for other sources.
    @inlinable public var token: Token { Token(Int(generation) << 32 | Int(index)) }

    @usableFromInline
    init(index: UInt32, generation: UInt32) {
        self.index = index
        self.generation = generation
    }

    /// The key in a token that ``token`` made; `nil` for negative tokens.
    @inlinable
    public init?(_ token: Token) {
        guard token.rawValue >= 0 else { return nil }
        let index = UInt32(truncatingIfNeeded: token.rawValue)
        self.init(index: index, generation: UInt32(truncatingIfNeeded: token.rawValue >> 32))
    }
}
