/// One fuzz target: the code under test, and its seeds.
///
/// libFuzzer calls functions with fixed C names, so each target forwards these calls to its value
/// of this type: `LLVMFuzzerTestOneInput` to ``run(_:_:)``, `LLVMFuzzerCustomMutator` to
/// ``mutate(_:_:_:_:)``.
public struct FuzzTarget: Sendable {
    private let seeds: [[UInt8]]
    private let body: @Sendable (Span<UInt8>) -> Void

    /// Makes a target.
    ///
    /// - Parameters:
    ///   - seeds: Inputs with high coverage, from which others are derived.
    ///   - body: Tests one input; a trap is a finding.
    public init(seeds: [[UInt8]] = [], _ body: @escaping @Sendable (Span<UInt8>) -> Void) {
        self.seeds = seeds
        self.body = body
    }

    /// Makes a target whose seeds are texts.
    public init(seeds: [String], _ body: @escaping @Sendable (Span<UInt8>) -> Void) {
        self.init(seeds: seeds.map { Array($0.utf8) }, body)
    }

    /// Tests one input.
    public func run(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
        body(unsafe Span(_unsafeElements: UnsafeBufferPointer(start: bytes, count: count)))
        return 0
    }

    /// Mutates an input in place or, occasionally, replaces it with a seed.
    ///
    /// - Returns: The new size.
    public func mutate(
        _ bytes: UnsafeMutablePointer<UInt8>,
        _ count: Int,
        _ capacity: Int,
        _ random: CUnsignedInt
    ) -> Int {
        guard !seeds.isEmpty, random % 64 == 0 else {
            return unsafe libFuzzerMutate(bytes, count, capacity)
        }
        let seed = seeds[Int(random / 64) % seeds.count].prefix(capacity)
        _ = unsafe UnsafeMutableBufferPointer(start: bytes, count: capacity).update(
            fromContentsOf: seed
        )
        return unsafe libFuzzerMutate(bytes, seed.count, capacity)
    }
}

/// libFuzzer's own mutator.
@_silgen_name("LLVMFuzzerMutate")
private func libFuzzerMutate(
    _ bytes: UnsafeMutablePointer<UInt8>,
    _ count: Int,
    _ capacity: Int
) -> Int
