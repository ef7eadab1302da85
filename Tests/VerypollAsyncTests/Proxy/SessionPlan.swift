import TestSupport

/// The actions of one end of a session.
struct EndPlan: Sendable {
    /// The number of bytes to send.
    let count: Int
    /// Where those bytes begin in ``Noise``.
    let start: Int
    let writeStep: Int
    let readStep: Int
    /// The most turns that the end gives to other tasks between two steps.
    let yields: Int
    /// Whether the end sends nothing before it has read the end of the other one's stream.
    let waitsForEnd: Bool
    /// After how many bytes the end resets the connection instead.
    let resetsAfter: Int?
    /// Whether the kernel is to accept only a little at a time.
    let hasSmallBuffer: Bool
    /// Where the tasks of the end run.
    let place: Place

    fileprivate init(
        waitsForEnd: Bool,
        resets: Bool,
        using random: inout Generator
    ) {
        let most = [10, 2000, 40_000, 300_000].randomElement(using: &random) ?? 0
        count = .random(in: 0...most, using: &random)
        start = .random(in: Noise.starts, using: &random)
        let longest = max(1, count / .random(in: 1...40, using: &random))
        writeStep = .random(in: 1...longest, using: &random) + count / 200
        readStep = .random(in: 1...20_000, using: &random) + 500
        yields = .random(in: 0...3, using: &random)
        self.waitsForEnd = waitsForEnd
        resetsAfter = resets ? .random(in: 0...count, using: &random) : nil
        hasSmallBuffer = .random(in: 0..<4, using: &random) == 0
        place = .random(in: 0..<4, using: &random) == 0 ? .elsewhere : .executor
    }
}

/// The course of one session; each part of it derives the plan from the seed and the number.
struct SessionPlan: Sendable {
    let client: EndPlan
    let server: EndPlan
    /// Where the tasks of the proxy run.
    let place: Place
    /// The size of the proxy's buffers.
    let step: Int

    /// Whether an end breaks the connection, so that not all bytes need to arrive.
    var isBroken: Bool { client.resetsAfter != nil || server.resetsAfter != nil }

    init(seed: UInt64, number: Int) {
        var random = Generator(state: seed &+ UInt64(number) &* 0x9E37)
        let first = Int.random(in: 0..<4, using: &random)
        let breaker = Int.random(in: 0..<12, using: &random)
        client = EndPlan(waitsForEnd: first == 0, resets: breaker == 0, using: &random)
        server = EndPlan(waitsForEnd: first == 1, resets: breaker == 1, using: &random)
        place = Int.random(in: 0..<4, using: &random) == 0 ? .elsewhere : .executor
        step = .random(in: 100...16_384, using: &random)
    }
}
