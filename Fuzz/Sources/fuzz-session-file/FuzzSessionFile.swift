internal import FuzzSupport

@testable internal import StrictJSON
@testable internal import VerypollConfiguration
@testable internal import VerypollDaemon
@testable internal import VerypollServer

/// Files of sessions of whatever process: none makes a trap, and what is read of one is written and
/// read again as it is.
private let target = FuzzTarget(seeds: [seed(0), seed(1), seed(2)]) { input in
    let bytes = input.indices.map { input[$0] }
    guard let file = try? SessionFile(decoding: bytes) else { return }
    for entry in file.entries {
        guard let record = entry.record else { continue }
        require(record.descriptorCount == entry.descriptorCount, "descriptors of others")
        require((1...SessionRecord.largestCount).contains(record.id), "a number out of range")
        require(record.up.parked.count <= 65_536, "more than a buffer holds")
        require(record.down.parked.count <= 65_536, "more than a buffer holds")
    }
    let records = file.entries.compactMap(\.record)
    let again = SessionFile(nextSessionID: file.nextSessionID, records)
    require((try? SessionFile(decoding: again.encode())) == again, "it is not read as written")
}

/// A file of so many sessions, each with a bit more than the one before.
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
            client: SessionRecord.End(isUnix: false, marks: .hasSent),
            server: index == 0 ? nil : SessionRecord.End(isUnix: true, marks: .endOwed),
            up: way(index),
            down: way(0),
            route: index == 0 ? nil : route
        )
    }
    return SessionFile(nextSessionID: 9, records).encode()
}

private func way(_ count: Int) -> SessionRecord.Channel {
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
