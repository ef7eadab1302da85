internal import Verypoll

/// A slot of a ``Slab`` and how many values it has had, so that a late event cannot reach a new
/// owner.
struct SlabKey: Hashable, Sendable {
    let index: UInt32
    let generation: UInt32

    /// The same as a token, never negative.
    var token: Token { Token(Int(generation) << 32 | Int(index)) }

    init(index: UInt32, generation: UInt32) {
        self.index = index
        self.generation = generation
    }

    /// The key in a token made by ``token``; `nil` for negative tokens.
    init?(_ token: Token) {
        guard token.rawValue >= 0 else { return nil }
        index = UInt32(truncatingIfNeeded: token.rawValue)
        generation = UInt32(truncatingIfNeeded: token.rawValue >> 32)
    }
}
