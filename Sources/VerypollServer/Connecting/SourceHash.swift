internal import Glibc
internal import Verypoll

/// The choice of a server by the client's address: weighted rendezvous hashing.
///
/// For each source, every server gets a number that depends only on its name, its weight and the
/// source's address, and the highest number wins. So a source keeps its server as long as that
/// server may be chosen, even if other servers are added or removed or the daemon restarts. See
/// Schindelhauer and Schomaker, "Weighted Distributed Hash Tables", 2005.
enum SourceHash {
    /// Returns the hash of a server's name, which is the same in every process: FNV-1a.
    static func hash(_ name: String) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in name.utf8 {
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
        }
        return hash.mixed
    }

    /// Chooses one of the candidates; see ``Balancer/pick(_:source:)``.
    ///
    /// - Parameters:
    ///   - candidates: All servers, `nil` for those that must not be chosen.
    ///   - hashes: The hashes of their names.
    ///   - source: The client's address; all clients without one are the same source.
    /// - Returns: The index of the winner, or `nil` if there is no candidate.
    static func pick(
        _ candidates: [Balancer.Candidate?],
        hashes: [UInt64],
        source: IPAddress?
    ) -> Int? {
        // An IPv6 socket reports IPv4 clients as mapped addresses; they are the same clients.
        let bits = source?.unmapped.bits ?? 0
        let high = UInt64(truncatingIfNeeded: bits >> 64)
        let key = (UInt64(truncatingIfNeeded: bits) ^ high.mixed).mixed
        var best: (index: Int, score: Double)?
        for (index, candidate) in candidates.enumerated() {
            guard let candidate else { continue }
            // 53 bits plus one half give a number greater than 0 and less than 1.
            let draw = (Double((key ^ hashes[index]).mixed >> 11) + 0.5) * 0x1p-53
            let score = Double(candidate.weight) / -log(draw)
            if best.map({ score > $0.score }) ?? true { best = (index, score) }
        }
        return best?.index
    }
}
