internal import Glibc
internal import Verypoll

/// The choice of a server by the client: weighted rendezvous hashing.
///
/// For each key, every server gets a score that depends only on its name, its weight and the key,
/// and the highest score wins. So a key keeps its server as long as that server may be chosen, even
/// if other servers are added or removed or the daemon restarts. See Schindelhauer and Schomaker,
/// "Weighted Distributed Hash Tables", 2005.
///
/// The algorithm is a contract: daemons of different releases must choose alike, and
/// `docs/hashing.md` describes it for other programs. `SourceHashTests` compares the two.
enum SourceHash {
    /// Returns the hash of a server's name, which is the same in every process.
    static func hash(_ name: String) -> UInt64 { hash(name.utf8) }

    /// Returns the key of a TLS client that asks for a name.
    ///
    /// - Parameter serverName: The name as `ServerName.normalize` returns it.
    /// - Returns: The key.
    static func key(serverName: [UInt8]) -> UInt64 { hash(serverName) }

    /// Returns the key of an address; all clients without one have the same key.
    static func key(_ address: IPAddress?) -> UInt64 {
        // An IPv6 socket reports IPv4 clients as mapped addresses; they are the same clients.
        let bits = address?.unmapped.bits ?? 0
        let high = UInt64(truncatingIfNeeded: bits >> 64)
        return (UInt64(truncatingIfNeeded: bits) ^ high.mixed).mixed
    }

    /// FNV-1a of 64 bits, mixed because similar texts have similar hashes.
    private static func hash(_ bytes: some Sequence<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in bytes {
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
        }
        return hash.mixed
    }

    /// Chooses one of the candidates; see ``Balancer/pick(_:key:)``.
    ///
    /// - Parameters:
    ///   - candidates: All servers, `nil` for those that must not be chosen.
    ///   - hashes: The hashes of their names.
    ///   - key: The key of the client.
    /// - Returns: The index of the winner, or `nil` if there is no candidate.
    static func pick(
        _ candidates: [Balancer.Candidate?],
        hashes: [UInt64],
        key: UInt64
    ) -> Int? {
        var best: (index: Int, score: Score)?
        for (index, candidate) in candidates.enumerated() {
            guard let candidate else { continue }
            let score = Score(key: key, server: hashes[index], weight: candidate.weight)
            if best.map({ score > $0.score }) ?? true { best = (index, score) }
        }
        return best?.index
    }

    /// Returns the indices of all servers in the order in which they win: each of them is chosen if
    /// those before it must not be.
    static func order(weights: [Int], hashes: [UInt64], key: UInt64) -> [Int] {
        let scores = zip(weights, hashes).map { weight, hash in
            Score(key: key, server: hash, weight: weight)
        }
        return scores.indices.sorted { scores[$0] > scores[$1] }
    }

    /// The number that a server gets for a key; the server with the highest one wins.
    private struct Score: Comparable {
        private let value: Double
        /// Decides between equal values, so that the order of the servers never does.
        private let server: UInt64

        init(key: UInt64, server: UInt64, weight: Int) {
            // 53 bits plus one half give a number greater than 0 and less than 1.
            let draw = (Double((key ^ server).mixed >> 11) + 0.5) * 0x1p-53
            value = Double(weight) / -log(draw)
            self.server = server
        }

        static func < (left: Score, right: Score) -> Bool {
            left.value == right.value ? left.server < right.server : left.value < right.value
        }
    }
}
