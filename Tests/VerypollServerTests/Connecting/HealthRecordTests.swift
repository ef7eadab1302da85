import Testing

@testable import VerypollConfiguration
@testable import VerypollServer

@Suite("HealthRecord")
struct HealthRecordTests {
    private func record(rise: Int, fall: Int) -> HealthRecord {
        let check = UpstreamConfiguration.HealthCheck(
            interval: .seconds(5),
            timeout: .seconds(2),
            rise: rise,
            fall: fall,
            send: "",
            expect: ""
        )
        return HealthRecord(check)
    }

    /// What a row of checks changes: `+` is one that succeeds, `-` one that fails.
    private func changes(_ checks: String, rise: Int, fall: Int) -> [HealthRecord.Change?] {
        var record = record(rise: rise, fall: fall)
        return checks.map { record.note($0 == "+" ? nil : "refused") }
    }

    @Test("a server is up until so many checks in a row have failed")
    func falls() {
        #expect(changes("---", rise: 2, fall: 3) == [nil, nil, .down])
        #expect(changes("--+--+--", rise: 2, fall: 3) == Array(repeating: nil, count: 8))
        #expect(changes("-", rise: 2, fall: 1) == [.down])
    }

    @Test("a server is down until so many checks in a row have succeeded")
    func rises() {
        #expect(changes("-++", rise: 2, fall: 1) == [.down, nil, .up])
        #expect(changes("-+-+-++", rise: 2, fall: 1).compactMap(\.self) == [.down, .up])
        #expect(changes("-+-+", rise: 1, fall: 1) == [.down, .up, .down, .up])
    }

    @Test("nothing changes that is so already")
    func staysDown() {
        #expect(changes("------", rise: 2, fall: 3) == [nil, nil, .down, nil, nil, nil])
    }

    @Test("the reason is that of the last check")
    func keepsReason() {
        var record = record(rise: 2, fall: 1)
        _ = record.note("refused")
        _ = record.note("timed out")
        #expect(record.failure == "timed out")
        _ = record.note(nil)
        #expect(record.failure == nil)
        #expect(record.isDown)
    }
}
