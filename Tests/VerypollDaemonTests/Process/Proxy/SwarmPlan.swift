internal import DaemonTestSupport
internal import Glibc
internal import TestSupport

/// The behavior of one end of a session, decided before the session begins.
struct EndPlan {
    /// When an end starts to send.
    enum Beginning {
        case atOnce
        /// After it has received all of the other end's bytes, like a server that answers.
        case afterBytes
        /// After it has received the other end's end of file.
        case afterEnd
    }

    /// How many bytes it sends.
    var size = 0
    /// Where these bytes begin in the noise.
    var start = 0
    /// The most bytes per write, and per read.
    var longestPiece = 1
    var longestRead = 1
    /// After how many of 256 calls it pauses; the longest pause is in milliseconds.
    var pauses: UInt8 = 0
    var longestPause: UInt64 = 0
    /// How many milliseconds pass before it reads, or connects at all.
    var readDelay: UInt64 = 0
    var connectDelay: UInt64 = 0
    var beginning = Beginning.atOnce
    /// Whether it shuts down writing when everything is sent, rather than when everything is
    /// received as well.
    var finishesEarly = true
    /// The number of bytes sent and received after which it breaks the connection.
    var breaksAt: Int?
    /// The milliseconds after which it breaks the connection in any case.
    var breaksAfter: UInt64?
    /// Whether it shuts down writing right before it breaks the connection.
    var finishesAtBreak = false
    /// Whether it reads nothing until it breaks the connection.
    var readsNothing = false
    /// Whether its receive buffer is small.
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

/// The behavior of the two ends of a session.
struct SessionPlan {
    var client: EndPlan
    var server: EndPlan

    /// Makes the plan of a session.
    ///
    /// - Parameters:
    ///   - number: The session's number; each has its own plan.
    ///   - seed: The seed of the plans.
    ///   - isBulk: Whether both directions are long and steady.
    ///   - mayBreak: Whether an end may break the connection.
    init(number: Int, seed: UInt64, isBulk: Bool, mayBreak: Bool) {
        var generator = Generator(state: seed &+ UInt64(number) &* 0xD134_2543_DE82_EF95)
        client = Self.end(isBulk: isBulk, using: &generator)
        server = Self.end(isBulk: isBulk, using: &generator)
        if generator.next() % 4 == 0 {
            server.connectDelay = .random(in: 0...30, using: &generator)
        }
        // Otherwise both ends could wait for each other forever.
        if client.beginning != .atOnce { server.beginning = .atOnce }
        if client.beginning == .afterEnd { server.finishesEarly = true }
        if server.beginning == .afterEnd { client.finishesEarly = true }
        guard mayBreak, generator.next() % 3 == 0 else { return }
        let end = Int.random(in: 0...(client.size + server.size), using: &generator)
        let moment = generator.next() % 4 == 0 ? 0 : end
        if generator.next() % 2 == 0 { client.breaksAt = moment } else { server.breaksAt = moment }
    }

    /// Makes one end break the connection, or both at their own times.
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
        // Only short transfers use pieces of a few bytes.
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

    /// Returns a random size: mostly small, up to the longest.
    private static func size(isBulk: Bool, using generator: inout Generator) -> Int {
        if isBulk { return .random(in: (1 << 20)...Noise.longest, using: &generator) }
        if generator.next() % 10 == 0 { return 0 }
        let lot = Double.random(in: 0...1, using: &generator)
        return Int(exp(lot * lot * lot * log(Double(Noise.longest))))
    }
}

/// Returns the ClientHello of a session: one of several lengths, in records of several lengths.
func swarmHello(_ number: Int) -> [UInt8] {
    var hello = ClientHelloBytes("n\(number).test", protocols: ["h2"])
    if number % 5 == 0 {
        hello.last = helloExtension(21, Array(repeating: 0, count: number % 9 * 1_000))
    }
    return records(of: hello.message, [number % 3 == 0 ? 10 + number % 300 : 16_384])
}
