internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("discard, drop, daytime and chargen, in a running daemon")
struct SmallServiceTests {
    static let addresses = EchoTests.addresses

    @Test("discard reads 64 MiB, sends nothing, and answers end of file", arguments: addresses)
    func discards(address: String) throws {
        let daemon = try TestDaemon(serving("discard", listen: address))
        let client = try daemon.connect(to: "discard")
        let block = [UInt8](repeating: 0x55, count: 1 << 20)
        for _ in 0..<64 { try client.send(block) }
        try client.finishSending()
        #expect(try client.receiveToEnd() == [])
        try daemon.waitForNoSession()
        try daemon.waitForTotals("64 MiB") { $0.bytesIn == 64 << 20 }
        #expect(try daemon.status().totals.bytesOut == 0)
    }

    @Test("drop closes the connection without a byte, and counts it", arguments: addresses)
    func drops(address: String) throws {
        let daemon = try TestDaemon(serving("drop", listen: address))
        let first = try daemon.connect(to: "drop")
        let second = try daemon.connect(to: "drop")
        #expect(try first.receiveToEnd() == [])
        #expect(try second.receiveToEnd() == [])
        try daemon.waitForTotals("both sessions") { $0.accepted == 2 && $0.active == 0 }
    }

    @Test("daytime sends one line in the format of RFC 867 and ends", arguments: addresses)
    func tellsTheTime(address: String) throws {
        let daemon = try TestDaemon(serving("daytime", listen: address))
        let client = try daemon.connect(to: "daytime")
        try expectDaytime(try client.receiveToEnd())
        // The session waits for the client's end of file.
        try client.finishSending()
        try daemon.waitForNoSession()
    }

    @Test("daytime's line also reaches clients that have sent bytes first")
    func tellsTheTimeToTalkers() throws {
        let daemon = try TestDaemon(serving("daytime"))
        let address = try daemon.address(of: "daytime")
        for count in [1, 100, 10_000, 100_000] {
            for _ in 0..<50 {
                let client = try Client(address: address)
                try client.send([UInt8](repeating: 10, count: count))
                try expectDaytime(try client.receiveToEnd())
            }
        }
        try daemon.waitForNoSession()
    }

    @Test("chargen sends the pattern of RFC 864", arguments: addresses)
    func generates(address: String) throws {
        let daemon = try TestDaemon(serving("chargen", listen: address))
        let client = try daemon.connect(to: "chargen")
        #expect(try client.receive(exactly: 300_000) == characterPattern(300_000))
    }

    @Test("chargen continues after the client's end of file, until the client disconnects")
    func generatesOn() throws {
        let daemon = try TestDaemon(serving("chargen"))
        do {
            let client = try daemon.connect(to: "chargen")
            try client.send("this is thrown away")
            try client.finishSending()
            // More than all buffers between the two hold, so some of it was sent after the end of
            // file.
            let count = 32 << 20
            let received = try client.receive(exactly: count)
            #expect(received.count == count)
            #expect(Array(received.prefix(200_000)) == characterPattern(200_000))
            // Whichever 95 lines the bytes end with, the 95 lines before them were the same.
            let last = Array(received.suffix(95 * 74))
            let previous = Array(received.dropLast(95 * 74).suffix(95 * 74))
            #expect(last == previous)
            #expect(try daemon.sessions().map(\.state) == [.halfClosed])
        }
        try daemon.waitForNoSession()
    }

    private func expectDaytime(_ bytes: [UInt8]) throws {
        let line = String(decoding: bytes, as: UTF8.self)
        let form = #/[A-Z][a-z]+day, [A-Z][a-z]+ \d\d, \d{4} \d\d:\d\d:\d\d-[A-Z0-9+-]+\r\n/#
        #expect(line.wholeMatch(of: form) != nil, "\(line)")
    }
}

/// Returns the first bytes of the pattern that RFC 864 recommends: lines of 72 of the 95 printable
/// characters, each line shifted by one character.
func characterPattern(_ count: Int) -> [UInt8] {
    let ring = Array(UInt8(ascii: " ")...UInt8(ascii: "~"))
    let doubled = ring + ring
    var text: [UInt8] = []
    text.reserveCapacity(count + 74)
    var line = 0
    while text.count < count {
        text += doubled[line % ring.count..<line % ring.count + 72]
        text += [13, 10]
        line += 1
    }
    return Array(text.prefix(count))
}
