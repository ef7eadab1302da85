internal import Verypoll
internal import VerypollConfiguration

/// Chooses one of several servers; the state that lies behind the choice, and nothing else.
struct Balancer: Sendable {
    /// A server that may be chosen.
    struct Candidate: Equatable, Sendable {
        /// At least 1.
        var weight: Int
        /// The sessions on it.
        var active: Int

        /// Whether it has fewer sessions for its weight.
        fileprivate func isLessBusy(than other: Candidate) -> Bool {
            active * other.weight < other.active * weight
        }
    }

    private let balance: UpstreamConfiguration.Balance
    private let hashes: [UInt64]
    /// What each server is owed, for the choice in turn.
    private var credits: [Int]
    /// Where ties are looked at first.
    private var first = 0
    private var generator: SmallGenerator

    /// Makes a balancer.
    ///
    /// - Parameters:
    ///   - balance: How servers are chosen.
    ///   - names: The names of all servers, by which the hash of a source finds them.
    ///   - seed: What the lots begin with.
    init(_ balance: UpstreamConfiguration.Balance, names: [String], seed: UInt64) {
        self.balance = balance
        hashes = names.map(SourceHash.hash)
        credits = Array(repeating: 0, count: names.count)
        generator = SmallGenerator(state: seed)
    }

    /// Chooses one of the candidates.
    ///
    /// - Parameters:
    ///   - candidates: All servers in their order, `nil` for those that are not to be chosen.
    ///   - source: The client's address, if it has one.
    /// - Returns: The index of one that is not `nil`, or `nil` if all are.
    mutating func pick(_ candidates: [Candidate?], source: IPAddress?) -> Int? {
        precondition(candidates.count == credits.count, "servers of another upstream")
        return switch balance {
        case .roundRobin: next(of: candidates)
        case .leastSessions: leastBusy(of: candidates)
        case .random: lessBusyOfTwo(of: candidates)
        case .sourceHash: SourceHash.pick(candidates, hashes: hashes, source: source)
        }
    }

    /// Smooth weighted round robin, as nginx has it.
    ///
    /// With each choice every candidate earns its weight, and the one that is owed most pays what
    /// all have earned. So each is chosen by its weight exactly, and as evenly as it goes.
    private mutating func next(of candidates: [Candidate?]) -> Int? {
        var total = 0
        var best: Int?
        for (index, candidate) in candidates.enumerated() {
            guard let candidate else { continue }
            total += candidate.weight
            credits[index] += candidate.weight
            if best.map({ credits[index] > credits[$0] }) ?? true { best = index }
        }
        if let best { credits[best] -= total }
        return best
    }

    /// The candidate with the fewest sessions for its weight; equals take turns.
    private mutating func leastBusy(of candidates: [Candidate?]) -> Int? {
        var best: (index: Int, candidate: Candidate)?
        for offset in candidates.indices {
            let index = (first + offset) % candidates.count
            guard let candidate = candidates[index] else { continue }
            if best.map({ candidate.isLessBusy(than: $0.candidate) }) ?? true {
                best = (index, candidate)
            }
        }
        guard let best else { return nil }
        first = (best.index + 1) % candidates.count
        return best.index
    }

    /// The less busy of two candidates that are drawn by their weights.
    private mutating func lessBusyOfTwo(of candidates: [Candidate?]) -> Int? {
        guard let (one, first) = draw(from: candidates, without: nil) else { return nil }
        guard let (other, second) = draw(from: candidates, without: one) else { return one }
        return second.isLessBusy(than: first) ? other : one
    }

    private mutating func draw(
        from candidates: [Candidate?],
        without excluded: Int?
    ) -> (Int, Candidate)? {
        var total = 0
        for (index, candidate) in candidates.enumerated() where index != excluded {
            total += candidate?.weight ?? 0
        }
        guard total > 0 else { return nil }
        var lot = Int.random(in: 0..<total, using: &generator)
        for (index, candidate) in candidates.enumerated() where index != excluded {
            guard let candidate else { continue }
            lot -= candidate.weight
            if lot < 0 { return (index, candidate) }
        }
        return nil
    }
}

/// A generator of numbers for lots that nobody gains from foreseeing; Vigna's SplitMix64.
struct SmallGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    init(state: UInt64) {
        self.state = state
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return state.mixed
    }
}

extension UInt64 {
    /// The number with each of its bits spread over all others, so that alike ones are no longer.
    var mixed: UInt64 {
        var mixed = self
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
