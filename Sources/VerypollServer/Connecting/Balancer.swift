internal import VerypollConfiguration

/// Chooses one of several servers; holds only the state that the choice needs.
struct Balancer: Sendable {
    /// A server that may be chosen.
    struct Candidate: Equatable, Sendable {
        /// At least 1.
        var weight: Int
        /// The number of the server's sessions.
        var active: Int

        /// Returns whether the server has fewer sessions for its weight than another one.
        fileprivate func isLessBusy(than other: Candidate) -> Bool {
            active * other.weight < other.active * weight
        }
    }

    private let balance: UpstreamConfiguration.Balance
    private let hashes: [UInt64]
    /// The credit of each server, for the round robin.
    private var credits: [Int]
    /// The index at which the search among equally busy servers begins.
    private var first = 0
    private var generator: SmallGenerator

    /// Makes a balancer.
    ///
    /// - Parameters:
    ///   - balance: The algorithm.
    ///   - names: The names of all servers, for their hashes.
    ///   - seed: The seed of the random numbers.
    init(_ balance: UpstreamConfiguration.Balance, names: [String], seed: UInt64) {
        self.balance = balance
        hashes = names.map(SourceHash.hash)
        credits = Array(repeating: 0, count: names.count)
        generator = SmallGenerator(state: seed)
    }

    /// The turns of the servers, which an upstream's successor continues.
    struct Turns {
        /// The credits of the servers; 0 for new ones.
        var credits: [Int]
        var first: Int
        /// The most credit that the weights of the servers can justify.
        var limit: Int
    }

    /// The turns so far.
    var turns: Turns { Turns(credits: credits, first: first, limit: .max) }

    /// Continues former turns, so that frequent changes of the servers don't favor the first ones.
    mutating func resume(_ turns: Turns) {
        precondition(turns.credits.count == credits.count, "the turns do not match the servers")
        credits = turns.credits.map { max(-turns.limit, min($0, turns.limit)) }
        first = credits.isEmpty ? 0 : turns.first % credits.count
    }

    /// Chooses one of the candidates.
    ///
    /// - Parameters:
    ///   - candidates: All servers in their order, `nil` for those that must not be chosen.
    ///   - key: The key of the client, for `sourceHash`; see ``SourceHash``.
    /// - Returns: The index of the chosen server; `nil` if there is no candidate.
    mutating func pick(_ candidates: [Candidate?], key: UInt64) -> Int? {
        precondition(candidates.count == credits.count, "the candidates do not match the servers")
        return switch balance {
        case .roundRobin: next(of: candidates)
        case .leastSessions: leastBusy(of: candidates)
        case .random: lessBusyOfTwo(of: candidates)
        case .sourceHash: SourceHash.pick(candidates, hashes: hashes, key: key)
        }
    }

    /// Returns the indices of all servers in the order in which `sourceHash` chooses them for a
    /// key.
    func order(weights: [Int], key: UInt64) -> [Int] {
        SourceHash.order(weights: weights, hashes: hashes, key: key)
    }

    /// Chooses by smooth weighted round robin, the algorithm of nginx.
    ///
    /// For each choice, every candidate gains its weight as credit. The candidate with the most
    /// credit is chosen and pays the sum of all weights. So each candidate's share is exactly its
    /// weight, and its turns are spread evenly.
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

    /// Returns the candidate with the fewest sessions for its weight.
    ///
    /// Equally busy candidates take turns.
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

    /// Returns the less busy of two candidates that are drawn at random by their weights.
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

/// A fast random number generator, not for cryptography; Vigna's SplitMix64.
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
    /// The number with its bits mixed, so that similar numbers become very different ones.
    var mixed: UInt64 {
        var mixed = self
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
