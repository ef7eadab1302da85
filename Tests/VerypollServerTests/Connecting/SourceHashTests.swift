import TestSupport
import Testing
import Verypoll

@testable import VerypollConfiguration
@testable import VerypollServer

/// Freezes the algorithm: a release that chose differently would move the clients of all users.
@Suite("SourceHash")
struct SourceHashTests {
    private static let servers: [(name: String, weight: Int)] = [
        ("10.0.0.1:80", 1), ("10.0.0.2:80", 1), ("app.internal:8080", 2),
        ("unix:/run/app.sock", 1), ("[2001:db8::5]:443", 3),
    ]

    private func order(_ key: UInt64) -> [Int] {
        SourceHash.order(
            weights: Self.servers.map(\.weight),
            hashes: Self.servers.map { SourceHash.hash($0.name) },
            key: key
        )
    }

    private func key(_ text: String) throws -> UInt64 {
        switch try HashedKey(text) {
        case .address(let address): SourceHash.key(address)
        case .serverName(let name): SourceHash.key(serverName: Array(name.utf8))
        }
    }

    @Test(
        "names and addresses get the same servers in every release",
        arguments: [
            ("shop.example.com", [4, 2, 0, 1, 3]), ("www.example.com", [2, 4, 3, 0, 1]),
            ("Shop.EXAMPLE.com.", [4, 2, 0, 1, 3]), ("a", [4, 3, 0, 1, 2]),
            ("xn--bcher-kva.example", [3, 2, 0, 1, 4]), ("api.eu-1.example.org", [2, 4, 1, 0, 3]),
            ("127.0.0.1", [0, 2, 3, 4, 1]), ("10.1.2.3", [4, 3, 2, 0, 1]),
            ("192.0.2.7", [2, 1, 4, 3, 0]), ("::ffff:192.0.2.7", [2, 1, 4, 3, 0]),
            ("255.255.255.255", [2, 1, 3, 4, 0]), ("::1", [0, 4, 1, 2, 3]),
            ("2001:db8::7", [1, 2, 0, 4, 3]), ("fe80::1", [0, 4, 2, 1, 3]),
            ("::", [2, 4, 0, 3, 1]),
        ]
    )
    func isFrozen(text: String, expected: [Int]) throws {
        #expect(try order(key(text)) == expected)
    }

    @Test("the hashes of names and addresses are the same in every release")
    func freezesKeys() throws {
        #expect(try key("shop.example.com") == 0x2554_1BF2_9B10_8D5C)
        #expect(try key("192.0.2.7") == 0xF1E7_940B_7558_FE7C)
        #expect(try key("2001:db8::7") == 0x936D_3540_5576_CDD0)
        #expect(SourceHash.key(nil) == 0)
    }

    @Test("10,000 sources are spread over ten servers in the same way in every release")
    func freezesShares() throws {
        let names = (1...10).map { "10.0.0.\($0):80" }
        var balancer = Balancer(.sourceHash, names: names, seed: 0)
        let all = names.map { _ in Balancer.Candidate(weight: 1, active: 0) }
        var counts = Array(repeating: 0, count: names.count)
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for number: UInt32 in 0..<10_000 {
            let picked = balancer.pick(all, source: IPAddress(v4: 0xC612_0000 | number))
            let server = try #require(picked)
            counts[server] += 1
            hash = (hash ^ UInt64(server)) &* 0x100_0000_01B3
        }
        #expect(counts == [984, 986, 1012, 1037, 945, 1025, 991, 995, 997, 1028])
        #expect(hash == 0x4190_AB66_FC2F_73FC)
    }

    @Test("10 % of the sources move when one of ten servers leaves, and no others")
    func movesItsShare() throws {
        let names = (1...10).map { "10.0.0.\($0):80" }
        var balancer = Balancer(.sourceHash, names: names, seed: 0)
        let all: [Balancer.Candidate?] = names.map { _ in .init(weight: 1, active: 0) }
        for leaving in names.indices {
            var rest = all
            rest[leaving] = nil
            var movedCount = 0
            var isOnlyItsOwn = true
            for number: UInt32 in 0..<10_000 {
                let source = IPAddress(v4: 0xC612_0000 | number)
                let before = balancer.pick(all, source: source)
                let after = balancer.pick(rest, source: source)
                if before != after {
                    movedCount += 1
                    if before != leaving { isOnlyItsOwn = false }
                }
            }
            #expect(isOnlyItsOwn)
            #expect((900...1_100).contains(movedCount), "\(movedCount)")
        }
    }

    @Test("each server in the order is chosen if those before it must not be")
    func ordersAsItPicks() throws {
        let weights = Self.servers.map(\.weight)
        var balancer = Balancer(.sourceHash, names: Self.servers.map(\.name), seed: 0)
        for number: UInt32 in 0..<500 {
            let key = SourceHash.key(IPAddress(v4: number &* 0x9E37_79B9))
            var candidates: [Balancer.Candidate?] = weights.map { .init(weight: $0, active: 0) }
            for expected in balancer.order(weights: weights, key: key) {
                let picked = balancer.pick(candidates, key: key)
                try #require(picked == expected)
                candidates[expected] = nil
            }
            let rest = balancer.pick(candidates, key: key)
            try #require(rest == nil)
        }
    }

    @Test("servers with equal scores are ordered by their hashes, not by their places")
    func breaksTies() {
        // With the key 0, these differ only in bits that do not count.
        let hashes: [UInt64] = [0xBC84_B404_D725_6EF5, 0xC6DD_2684_11E3_6F6E]
        #expect(hashes[0].mixed >> 11 == hashes[1].mixed >> 11)
        let all: [Balancer.Candidate?] = hashes.map { _ in .init(weight: 1, active: 0) }
        #expect(SourceHash.pick(all, hashes: hashes, key: 0) == 1)
        #expect(SourceHash.pick(all, hashes: hashes.reversed(), key: 0) == 0)
        #expect(SourceHash.order(weights: [1, 1], hashes: hashes, key: 0) == [1, 0])
        #expect(SourceHash.order(weights: [1, 1], hashes: hashes.reversed(), key: 0) == [0, 1])
    }

    @Test("the program in docs/hashing.md chooses the same servers as the daemon")
    func isDocumented() throws {
        try requireProgram("python3")
        let blocks = try Document("docs/hashing.md").blocks
        let program = try #require(blocks.first { $0.language == "python" })
        let weights = Self.servers.map { "\"\($0.name)\": \($0.weight)" }.joined(separator: ", ")
        let check = """
            chosen = {\(weights)}
            places = list(chosen)
            for number in range(1000):
                bits = mixed(number) << 64 | mixed(number + 1000)
                address = ipaddress.ip_address(bits if number % 2 else bits & 0xFFFFFFFF)
                name = f"{number}.Shop-{number % 7}.example"
                for key, text in ((address_key(address), address), (name_key(name), name)):
                    print(text, *(places.index(server) for server in order(key, chosen)))

            """
        let result = try Program.run("python3", ["-c", program.text + check])
        #expect(result.exit == .code(0), "\(result.standardError)")
        let lines = result.standardOutput.split(separator: "\n").suffix(2000)
        #expect(lines.count == 2000)
        for line in lines {
            let words = line.split(separator: " ").map(String.init)
            let expected = words.dropFirst().compactMap { Int($0) }
            try #require(try order(key(words[0])) == expected, "\(line)")
        }
    }
}
