import TestSupport
import Testing
import Verypoll

@testable import VerypollServer

@Suite("DNSClient")
struct DNSClientTests {
    private static let records = ["0 5 one.example.test:8080 192.0.2.1"]

    /// Asks a name server that misbehaves, and returns its records or the reason of the failure.
    ///
    /// - Parameters:
    ///   - mode: How it misbehaves; see the program.
    ///   - patience: The time for the lookup.
    /// - Returns: The records, or the reason with `SERVER` for the address of the server.
    /// - Throws: An error of the program.
    private func ask(
        _ mode: String,
        within patience: Duration = .seconds(30)
    ) throws -> [String] {
        let server = try BadNameServer(mode)
        let name = try #require(DNSName(DNSBytes.service))
        let question = DNSQuestion(name: name, type: .srv)
        let results = DNSClient.ask([question], of: [server.address], until: .now + patience)
        switch results[0] {
        case .success(let message):
            return try ServiceFindings(message, to: question).answer.records.map { record in
                let addresses = record.addresses.map { " \($0)" }.joined()
                let server = "\(record.target):\(record.port)"
                return "\(record.priority) \(record.weight) \(server)\(addresses)"
            }
        case .failure(let failure):
            let parts = failure.description.split(separator: "\(server.address)")
            return [parts.joined(separator: "SERVER")]
        }
    }

    @Test("invalid answers before the right one are ignored")
    func ignoresGarbage() throws {
        #expect(try ask("mixed") == Self.records)
    }

    @Test("a server that knows no RFC 6891 is asked without it")
    func asksPlainly() throws {
        #expect(try ask("refuses-edns") == Self.records)
    }

    @Test("an answer over TCP may arrive in pieces")
    func readsPieces() throws {
        #expect(try ask("slow") == Self.records)
    }

    @Test("a server that never answers, or only with garbage, is given up on at the deadline")
    func timesOut() throws {
        let silent = try ask("silent", within: .milliseconds(300))
        #expect(silent == ["the name server SERVER did not answer in time"])
        // On a busy machine, the garbage may arrive too late.
        try eventually("a report of garbage") {
            let garbage = try ask("garbage", within: .milliseconds(300))
            if garbage == silent { return false }
            #expect(garbage == ["the name server SERVER sent no valid answer in time"])
            return true
        }
    }

    @Test("a server that stalls, closes or truncates over TCP is a failure")
    func failsOverTCP() throws {
        // On a busy machine, there may be no time for TCP.
        try eventually("a stalled server") {
            let stalled = try ask("stalls", within: .milliseconds(300))
            return stalled == ["the name server SERVER did not answer over TCP in time"]
        }
        let closed = try ask("closes")
        #expect(
            closed == [
                "the name server SERVER cannot be reached over TCP: Connection reset by peer"
            ]
        )
        let truncated = try ask("truncates-twice")
        #expect(truncated == ["the name server SERVER truncated its answer over TCP"])
    }

    @Test("a port without a server is a failure, and the next server is asked")
    func continuesElsewhere() throws {
        let nobody = SocketAddress.loopback(port: try reservedPort())
        let refused = ServiceLookup.answer(for: DNSBytes.service, servers: [nobody])
        let reason = "the name server \(nobody) cannot be reached: Connection refused"
        #expect(refused == .failure(NameLookupFailure(reason: reason)))
        let server = try BadNameServer("slow")
        let servers = [nobody, server.address]
        let answer = try ServiceLookup.answer(for: DNSBytes.service, servers: servers).get()
        #expect(answer.records.map(\.target) == ["one.example.test"])
        #expect(answer.records[0].addresses == [try #require(IPAddress("192.0.2.1"))])
    }

    @Test("the time to live includes the time in which no address was found")
    func countsTimeOfAddresses() throws {
        let server = try BadNameServer("nameless")
        let answer = try ServiceLookup.answer(
            for: DNSBytes.service,
            servers: [server.address]
        ).get()
        #expect(answer.records.map(\.addresses) == [[]])
        // The questions for the addresses take two and four seconds.
        #expect(answer.timeToLive <= ServiceAnswer.incompleteLifetime - .seconds(6))
    }

    @Test("a silent server is followed by the next one")
    func passesSilence() throws {
        let silent = try BadNameServer("silent")
        let server = try BadNameServer("mixed")
        let servers = [silent.address, server.address]
        let answer = try ServiceLookup.answer(for: DNSBytes.service, servers: servers).get()
        #expect(answer.records.map(\.target) == ["one.example.test"])
    }
}

/// A name server that misbehaves: Tests/Programs/bad_name_server.py.
private struct BadNameServer: ~Copyable {
    let address: SocketAddress
    private let program: Program

    /// Starts the program with the name of its fault.
    init(_ mode: String) throws {
        let path = Repository.path(ofProgram: "bad_name_server.py")
        let program = try Program("python3", [path, mode])
        let text = try program.waitForStandardOutput(containing: "\n")
        let port = try #require(UInt16(text.prefix { $0 != "\n" }))
        address = .loopback(port: port)
        self.program = program
    }
}
