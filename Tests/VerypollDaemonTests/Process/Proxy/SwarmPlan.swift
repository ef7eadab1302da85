internal import Glibc
internal import TestSupport

/// What one end of a session does, all of it decided before it begins.
struct EndPlan {
    /// When an end begins to send.
    enum Beginning {
        case atOnce
        /// When it has got all that the other sends, as a server that answers.
        case afterBytes
        /// When it has got the other's end of file.
        case afterEnd
    }

    /// How many bytes it sends.
    var size = 0
    /// Where they begin in the noise.
    var start = 0
    /// How many it sends, and takes, at a time.
    var longestPiece = 1
    var longestRead = 1
    /// Of 256 calls, after how many it rests, and how many milliseconds at most.
    var pauses: UInt8 = 0
    var longestPause: UInt64 = 0
    /// How many milliseconds it waits before it takes anything, or is there at all.
    var readDelay: UInt64 = 0
    var connectDelay: UInt64 = 0
    var beginning = Beginning.atOnce
    /// Whether it ends its way when all is sent, and not only when all has come as well.
    var finishesEarly = true
    /// The number of bytes sent and received after which it breaks the connection.
    var breaksAt: Int?
    /// The milliseconds after which it breaks the connection, whatever it has done.
    var breaksAfter: UInt64?
    /// Whether it ends its way right before it breaks the connection.
    var finishesAtBreak = false
    /// Whether it takes nothing until it breaks the connection.
    var readsNothing = false
    /// Whether the kernel keeps little for it to read.
    var hasSmallBuffer = false
}

extension EndPlan {
    fileprivate mutating func makeRough(using generator: inout Generator) {
        breaksAt = nil
        breaksAfter = .random(in: 0...60, using: &generator)
        finishesAtBreak = generator.next() % 2 == 0
        readsNothing = generator.next() % 2 == 0
        hasSmallBuffer = generator.next() % 2 == 0
        size = max(size, Int.random(in: 0...(1 << 19), using: &generator))
        longestPiece = max(longestPiece, 1 << 16)
        beginning = .atOnce
    }
}

/// What the two ends of a session do.
struct SessionPlan {
    var client: EndPlan
    var server: EndPlan

    /// Makes the plan of a session.
    ///
    /// - Parameters:
    ///   - number: Which session it is; each has a plan of its own.
    ///   - seed: What the plans are made from.
    ///   - isBulk: Whether both ways are long and steady.
    ///   - mayBreak: Whether one of the ends may break the connection.
    init(number: Int, seed: UInt64, isBulk: Bool, mayBreak: Bool) {
        var generator = Generator(state: seed &+ UInt64(number) &* 0xD134_2543_DE82_EF95)
        client = Self.end(isBulk: isBulk, using: &generator)
        server = Self.end(isBulk: isBulk, using: &generator)
        if generator.next() % 4 == 0 {
            server.connectDelay = .random(in: 0...30, using: &generator)
        }
        // Both could wait for the other for ever.
        if client.beginning != .atOnce { server.beginning = .atOnce }
        if client.beginning == .afterEnd { server.finishesEarly = true }
        if server.beginning == .afterEnd { client.finishesEarly = true }
        guard mayBreak, generator.next() % 3 == 0 else { return }
        let end = Int.random(in: 0...(client.size + server.size), using: &generator)
        let moment = generator.next() % 4 == 0 ? 0 : end
        if generator.next() % 2 == 0 { client.breaksAt = moment } else { server.breaksAt = moment }
    }

    /// Has one end break the connection, or both at moments of their own.
    mutating func breakBoth(seed: UInt64) {
        var generator = Generator(state: seed)
        let lot = generator.next() % 6
        if lot != 0 { client.makeRough(using: &generator) }
        if lot != 1 { server.makeRough(using: &generator) }
    }

    private static func end(isBulk: Bool, using generator: inout Generator) -> EndPlan {
        var plan = EndPlan()
        plan.size = size(isBulk: isBulk, using: &generator)
        plan.start = .random(in: Noise.starts, using: &generator)
        // Pieces of a byte or so are for those who have few.
        let smallest = isBulk ? 65_536 : max(1, plan.size / 512)
        plan.longestPiece = smallest << Int.random(in: 0...8, using: &generator)
        plan.longestRead = isBulk ? 1 << 18 : 4096 << Int.random(in: 0...6, using: &generator)
        if !isBulk, generator.next() % 2 == 0 {
            plan.pauses = .random(in: 0...64, using: &generator)
            plan.longestPause = .random(in: 1...10, using: &generator)
        }
        if generator.next() % 8 == 0 { plan.readDelay = .random(in: 0...100, using: &generator) }
        switch generator.next() % 6 {
        case 0: plan.beginning = .afterBytes
        case 1: plan.beginning = .afterEnd
        default: break
        }
        plan.finishesEarly = generator.next() % 3 > 0
        return plan
    }

    /// Mostly small, up to the longest.
    private static func size(isBulk: Bool, using generator: inout Generator) -> Int {
        if isBulk { return .random(in: (1 << 20)...Noise.longest, using: &generator) }
        if generator.next() % 10 == 0 { return 0 }
        let lot = Double.random(in: 0...1, using: &generator)
        return Int(exp(lot * lot * lot * log(Double(Noise.longest))))
    }
}
