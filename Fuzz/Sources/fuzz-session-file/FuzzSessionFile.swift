internal import FuzzSupport

@testable internal import StrictJSON
@testable internal import VerypollConfiguration
@testable internal import VerypollDaemon
@testable internal import VerypollServer

/// Decodes arbitrary session files: none may trap, and decoding then encoding a file that was read
/// must yield the same records.
private let target = FuzzTarget(seeds: [seed(0), seed(1), seed(2)]) { input in
    let bytes = input.indices.map { input[$0] }
    guard let file = try? SessionFile(decoding: bytes) else { return }
    for entry in file.entries {
        guard let record = entry.record else { continue }
        require(record.descriptorCount == entry.descriptorCount, "descriptor counts differ")
        require((1...SessionRecord.largestCount).contains(record.id), "session ID out of range")
        require(record.toServer.parked.count <= 65_536, "too many bytes")
        require(record.toClient.parked.count <= 65_536, "too many bytes")
    }
    let records = file.entries.compactMap(\.record)
    let again = SessionFile(nextSessionID: file.nextSessionID, records)
    require((try? SessionFile(decoding: again.encode())) == again, "re-encoding changed the file")
}

/// A file of `count` sessions: the first echoes, and each later one is proxied and has one more
/// parked byte than the one before.
private func seed(_ count: Int) -> [UInt8] {
    let records = (0..<count).map { index in
        SessionRecord(
            id: UInt64(index + 1),
            listener: "web",
            service: index == 0 ? "echo" : "proxy",
            openedAt: 1,
            activeAt: 2,
            halfClosedAt: 0,
            position: 0,
            awaitsHeader: false,
            isCountedBySource: true,
            brokenBy: 0,
            peer: nil,
            destination: nil,
            client: SessionRecord.End(kind: .tcp, marks: .hasSent),
            server: index == 0 ? nil : SessionRecord.End(kind: .unix, marks: .inputEnded),
            toServer: channel(index),
            toClient: channel(0),
            route: index == 0 ? nil : route
        )
    }
    return SessionFile(nextSessionID: 9, records).encode()
}

private func channel(_ count: Int) -> SessionRecord.Channel {
    SessionRecord.Channel(
        taken: 9,
        given: 7,
        parked: Array(repeating: 1, count: count),
        piped: count == 0 ? nil : 5,
        isSpliced: count > 0
    )
}

private let route = SessionRecord.Route(
    upstream: "app",
    server: "unix:/a",
    isConnecting: true,
    address: 1,
    owedHeader: 1,
    isBreaking: false,
    nextAt: .max,
    endsAt: 9
)

@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    unsafe target.run(bytes, count)
}

@_cdecl("LLVMFuzzerCustomMutator")
func mutate(
    _ bytes: UnsafeMutablePointer<UInt8>,
    _ count: Int,
    _ capacity: Int,
    _ random: CUnsignedInt
) -> Int {
    unsafe target.mutate(bytes, count, capacity, random)
}
