import TestSupport
import Testing
import Verypoll

@testable import VerypollConfiguration
@testable import VerypollServer

@Suite("Balancer")
struct BalancerTests {
    private typealias Candidate = Balancer.Candidate

    private func balancer(
        _ balance: UpstreamConfiguration.Balance,
        servers: Int,
        seed: UInt64 = 1
    ) -> Balancer {
        Balancer(balance, names: (0..<servers).map { "10.0.0.\($0):80" }, seed: seed)
    }

    /// Idle candidates with these weights; 0 stands for one that is not to be chosen.
    private func idle(_ weights: Int...) -> [Candidate?] {
        weights.map { $0 == 0 ? nil : Candidate(weight: $0, active: 0) }
    }

    /// How often each candidate is chosen.
    private func shares(
        of candidates: [Candidate?],
        by balancer: inout Balancer,
        picks: Int,
        source: (Int) -> IPAddress? = { _ in nil }
    ) throws -> [Int] {
        var shares = Array(repeating: 0, count: candidates.count)
        for pick in 0..<picks {
            let chosen = balancer.pick(candidates, source: source(pick))
            shares[try #require(chosen)] += 1
        }
        return shares
    }

    private static func client(_ number: Int) -> IPAddress { IPAddress(v4: UInt32(number)) }

    // MARK: All

    @Test(
        "whatever may be chosen is chosen, and nothing else",
        arguments: UpstreamConfiguration.Balance.allCases
    )
    func choosesCandidates(balance: UpstreamConfiguration.Balance) throws {
        var generator = Generator(state: 0xBA1A)
        for _ in 0..<2000 {
            let count = Int.random(in: 1...8, using: &generator)
            var balancer = balancer(balance, servers: count, seed: generator.next())
            for _ in 0..<20 {
                let candidates = (0..<count).map { _ -> Candidate? in
                    guard Bool.random(using: &generator) else { return nil }
                    return Candidate(
                        weight: Int.random(in: 1...1000, using: &generator),
                        active: Int.random(in: 0...100_000, using: &generator)
                    )
                }
                let source = Self.client(Int.random(in: 0...0xFFFF, using: &generator))
                let chosen = balancer.pick(candidates, source: source)
                let isRight =
                    chosen.map { candidates[$0] != nil } ?? candidates.allSatisfy { $0 == nil }
                try #require(isRight)
            }
        }
    }

    // MARK: In turn

    @Test("in turn, servers of one weight follow each other")
    func rotates() throws {
        var balancer = balancer(.roundRobin, servers: 3)
        let picks = (0..<7).map { _ in balancer.pick(idle(1, 1, 1), source: nil) }
        #expect(picks == [0, 1, 2, 0, 1, 2, 0])
    }

    @Test("in turn, a heavy server is not chosen in one run, but in between")
    func rotatesSmoothly() throws {
        var balancer = balancer(.roundRobin, servers: 3)
        let picks = (0..<14).map { _ in balancer.pick(idle(5, 1, 1), source: nil) }
        let round = [0, 0, 1, 0, 2, 0, 0]
        #expect(picks == round + round)
    }

    @Test("in turn, every round of as many choices as all weigh gives each server its weight")
    func rotatesExactly() throws {
        var generator = Generator(state: 0x40B1)
        for _ in 0..<100 {
            let weights = (0..<6).map { _ in Int.random(in: 1...40, using: &generator) }
            let candidates = weights.map { Candidate(weight: $0, active: 0) }
            var balancer = balancer(.roundRobin, servers: weights.count)
            for _ in 0..<3 {
                let round = weights.reduce(0, +)
                let shares = try shares(of: candidates, by: &balancer, picks: round)
                try #require(shares == weights)
            }
        }
    }

    @Test("in turn, a server that comes back has no backlog of turns to catch up with")
    func forgetsAbsence() throws {
        var balancer = balancer(.roundRobin, servers: 3)
        _ = try shares(of: idle(1, 1, 1), by: &balancer, picks: 4)
        _ = try shares(of: idle(1, 0, 1), by: &balancer, picks: 1001)
        let shares = try shares(of: idle(1, 1, 1), by: &balancer, picks: 6)
        let isEven = shares.allSatisfy { (1...3).contains($0) }
        #expect(isEven, "\(shares)")
    }

    // MARK: Fewest sessions

    @Test("the server with the fewest sessions for its weight is chosen")
    func choosesLeastBusy() {
        var balancer = balancer(.leastSessions, servers: 3)
        var candidates = [(1, 3), (1, 2), (2, 5)].map { Candidate(weight: $0, active: $1) }
        let before = balancer.pick(candidates, source: nil)
        candidates[2].active = 3
        let after = balancer.pick(candidates, source: nil)
        #expect(before == 1)
        #expect(after == 2)
    }

    @Test("servers that are equally busy take turns")
    func breaksTies() throws {
        var balancer = balancer(.leastSessions, servers: 4)
        let picks = (0..<6).map { _ in balancer.pick(idle(1, 1, 0, 1), source: nil) }
        #expect(picks == [0, 1, 3, 0, 1, 3])
    }

    @Test("sessions that stay come to be spread by the weights")
    func fillsByWeight() throws {
        var balancer = balancer(.leastSessions, servers: 3)
        var candidates = [1, 2, 5].map { Candidate(weight: $0, active: 0) }
        for _ in 0..<800 {
            let chosen = balancer.pick(candidates, source: nil)
            candidates[try #require(chosen)].active += 1
        }
        #expect(candidates.map(\.active) == [100, 200, 500])
    }

    // MARK: By lot

    @Test("of two that are drawn the less busy one is chosen, so the busiest of all never is")
    func avoidsBusiest() throws {
        var balancer = balancer(.random, servers: 3)
        let candidates = [9, 0, 5].map { Candidate(weight: 1, active: $0) }
        let shares = try shares(of: candidates, by: &balancer, picks: 3000)
        #expect(shares[0] == 0)
        // The idle one is among the two that are drawn in two of three cases.
        #expect((1800...2200).contains(shares[1]), "\(shares)")
    }

    @Test("servers that are equally busy are drawn by their weights")
    func drawsByWeight() throws {
        var balancer = balancer(.random, servers: 3)
        let shares = try shares(of: idle(1, 2, 7), by: &balancer, picks: 10_000)
        #expect((850...1150).contains(shares[0]), "\(shares)")
        #expect((1800...2200).contains(shares[1]), "\(shares)")
    }

    @Test("lots differ from seed to seed, and are the same for the same seed")
    func dependsOnSeed() throws {
        func picks(seed: UInt64) -> [Int?] {
            var balancer = balancer(.random, servers: 4, seed: seed)
            return (0..<64).map { _ in balancer.pick(idle(1, 1, 1, 1), source: nil) }
        }
        #expect(picks(seed: 1) == picks(seed: 1))
        #expect(picks(seed: 1) != picks(seed: 2))
    }

    // MARK: By source

    @Test("a source has the same server in every process")
    func hashesWithoutSeed() throws {
        var balancer = balancer(.sourceHash, servers: 5)
        let sources = ["192.0.2.1", "192.0.2.2", "198.51.100.7", "2001:db8::1", "2001:db8::2"]
        let picks = sources.map { balancer.pick(idle(1, 1, 1, 1, 1), source: IPAddress($0)) }
        // What a program in another language has computed by the same rules.
        #expect(picks == [1, 2, 1, 3, 2])
    }

    @Test("an IPv4 client is the same whether it comes through an IPv4 or an IPv6 socket")
    func hashesMappedAddresses() throws {
        var balancer = balancer(.sourceHash, servers: 16)
        let all = Array(repeating: Candidate(weight: 1, active: 0) as Candidate?, count: 16)
        for number in 0..<256 {
            let address = IPAddress(v6: 0xFFFF_0000_0000 | UInt128(number))
            let direct = balancer.pick(all, source: Self.client(number))
            let mapped = balancer.pick(all, source: address)
            try #require(mapped == direct)
        }
    }

    @Test("clients without an address are one source")
    func hashesNameless() throws {
        var balancer = balancer(.sourceHash, servers: 3)
        let shares = try shares(of: idle(1, 1, 1), by: &balancer, picks: 30)
        #expect(shares.sorted() == [0, 0, 30])
    }

    @Test("sources are spread by the weights")
    func hashesByWeight() throws {
        var balancer = balancer(.sourceHash, servers: 3)
        let shares = try shares(
            of: idle(1, 2, 7),
            by: &balancer,
            picks: 10_000,
            source: Self.client
        )
        #expect((850...1150).contains(shares[0]), "\(shares)")
        #expect((1800...2200).contains(shares[1]), "\(shares)")
    }

    @Test("where a server goes, only its sources move, and to all others; back as it comes back")
    func movesOnlyShare() throws {
        var balancer = balancer(.sourceHash, servers: 5)
        var heirs: Set<Int?> = []
        var movedCount = 0
        for number in 0..<5000 {
            let source = Self.client(number)
            let before = balancer.pick(idle(1, 2, 3, 2, 1), source: source)
            let after = balancer.pick(idle(1, 2, 0, 2, 1), source: source)
            if before == 2 {
                heirs.insert(after)
                movedCount += 1
            } else {
                try #require(after == before)
            }
        }
        #expect(heirs == [0, 1, 3, 4])
        #expect((1500...1850).contains(movedCount), "\(movedCount)")
    }

    @Test("a server of another place in the list, or with more weight, keeps its sources")
    func followsNames() throws {
        let names = ["a:1", "b:1", "c:1"]
        var balancer = Balancer(.sourceHash, names: names, seed: 0)
        var reordered = Balancer(.sourceHash, names: names.reversed(), seed: 0)
        for number in 0..<1000 {
            let source = Self.client(number)
            let chosen = balancer.pick(idle(1, 1, 1), source: source)
            let mirrored = reordered.pick(idle(1, 1, 1), source: source)
            let heavier = balancer.pick(idle(1, 3, 1), source: source)
            try #require(mirrored == chosen.map { 2 - $0 })
            if chosen == 1 { try #require(heavier == 1) }
        }
    }
}
