import Verypoll

@testable import VerypollServer

extension Balancer {
    /// Chooses one of the candidates for the client with an address.
    mutating func pick(_ candidates: [Candidate?], source: IPAddress?) -> Int? {
        pick(candidates, key: SourceHash.key(source))
    }
}

extension Upstream {
    /// Chooses a server for the client with an address.
    func pick(source: IPAddress?, excluding tried: [Int], now: UInt64) -> ServerChoice {
        pick(key: SourceHash.key(source), excluding: tried, now: now)
    }
}
