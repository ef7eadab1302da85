internal import FuzzSupport

@testable internal import VerypollServer

/// Compares the parsing of whole, split, truncated and garbled ClientHello messages with a simple
/// parser.
private let target = FuzzTarget(seeds: seeds) { input in
    _ = compare(input.indices.map { input[$0] })
    compareOffer(Script(input))
}

private let seeds: [[UInt8]] = {
    let start: [UInt8] = [3, 3] + Offer.filler(32) + [0, 0, 4, 0x13, 1, 0x13, 2, 1, 0]
    let name: [UInt8] = [0, 0, 0, 8, 0, 6, 0, 0, 3] + "a.b".utf8
    let protocols: [UInt8] = [0, 16, 0, 14, 0, 12, 2] + "h2".utf8 + [8] + "http/1.1".utf8
    let versions: [UInt8] = [0, 43, 0, 7, 6, 0x1A, 0x1A, 3, 4, 3, 3]
    let grease: [UInt8] = [0x2A, 0x2A, 0, 1, 0]
    let extensions = Offer.vector(2, name + protocols + versions + grease)
    let message = [1] + Offer.vector(3, start + extensions)
    return [
        record([1] + Offer.vector(3, start)),
        record([1] + Offer.vector(3, start + [0, 0])),
        record(message),
        record(Array(message[..<7])) + record(Array(message[7...])) + [20, 3, 3, 0, 1, 1],
        record([1, 0, 0x40, 1]),
        Array("GET / HTTP/1.1\r\n".utf8),
    ]
}()

/// Checks that the result follows the specifications, is known as early as possible, and depends
/// neither on the pieces in which the bytes arrive nor on an earlier connection.
private func compare(_ bytes: [UInt8]) -> Reading {
    let reading = Reading(bytes)
    var hello = ClientHello()
    let whole = outcome(hello.read(bytes.span), hello)
    check(whole, bytes.count, reading)

    var single = ClientHello()
    var finding = ClientHello.Finding.incomplete
    var count = 0
    while finding == .incomplete, count < bytes.count {
        require(single.findingAtEnd == .malformed(.end), "not cut off after \(count) bytes")
        finding = single.read(bytes.span.extracting(count..<count + 1))
        count += 1
    }
    check(outcome(finding, single), equals: whole)
    let isInTime = finding == .incomplete || reading.byteCount.contains(count)
    require(isInTime, "\(finding) after \(count) bytes, not \(reading.byteCount)")

    var choices = bytes.reduce(7) { $0 &* 31 &+ UInt64($1) }
    for _ in 0..<2 {
        hello.removeAll()
        require(hello == ClientHello(), "some state was not removed")
        _ = hello.read(bytes.span.extracting(first: next(&choices) % (bytes.count + 1)))
        hello.removeAll()
        finding = readPieces(of: bytes, &choices, &hello)
        check(outcome(finding, hello), equals: whole)
    }
    // Later bytes do not change a final result.
    if finding != .incomplete { check(outcome(hello.read(bytes.span), hello), equals: whole) }
    return reading
}

/// Reads the bytes in pieces until the finding is final.
private func readPieces(
    of bytes: [UInt8],
    _ choices: inout UInt64,
    _ hello: inout ClientHello
) -> ClientHello.Finding {
    var rest = bytes.indices
    var finding = hello.read(bytes.span.extracting(first: 0))
    while finding == .incomplete, !rest.isEmpty {
        let limit = [2, 8, 64, 4096][next(&choices) % 4]
        let piece = rest.prefix(next(&choices) % limit)
        finding = hello.read(bytes.span.extracting(piece))
        rest = rest.dropFirst(piece.count)
    }
    return finding
}

/// Returns the next of the pseudo-random numbers that the bytes of an input determine.
private func next(_ choices: inout UInt64) -> Int {
    choices = choices &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(choices >> 33)
}

private func outcome(_ finding: ClientHello.Finding, _ hello: ClientHello) -> Outcome {
    let last = finding == .incomplete ? .malformed(.end) : finding
    require(hello.findingAtEnd == last, "\(hello.findingAtEnd) at the end, not \(last)")
    return Outcome(
        finding: finding,
        serverName: hello.serverName,
        protocols: hello.protocols,
        versions: hello.versions
    )
}

private func check(_ outcome: Outcome, equals expected: Outcome) {
    require(outcome == expected, "\(outcome), not \(expected)")
}

/// Checks the outcome for `byteCount` bytes.
private func check(_ outcome: Outcome, _ byteCount: Int, _ reading: Reading) {
    switch (outcome.finding, reading.outcome.finding) {
    // Where an entry ends outside its list, other reasons are valid as well.
    case (.malformed, .malformed(.serverName)): break
    case (.incomplete, .malformed(.serverName)):
        require(byteCount < reading.byteCount.upperBound, "incomplete, but malformed")
    default: check(outcome, equals: reading.outcome)
    }
}

/// Checks the result for a generated message in records, which may be slightly garbled.
private func compareOffer(_ input: consuming Script) {
    let edits = (0..<input.next(below: 4)).map { _ in input.next(UInt32.self) }
    let sizes = (0..<1 + input.next(below: 4)).map { _ in
        switch input.next(below: 4) {
        case 0: 1 << 14
        case 1: 1
        case 2: 1 + Int(input.next(UInt8.self))
        default: 1 + Int(input.next(UInt16.self)) % (1 << 14)
        }
    }
    let start = input.next(below: 256)
    let trailing = Offer.filler(input.next(below: 4))
    let offer = Offer(&input)
    var message = offer.message + trailing
    for edit in edits where edit & 1 == 0 { garble(&message, edit >> 1) }
    var bytes = records(of: message, startingWith: start, sizes)
    for edit in edits where edit & 1 == 1 { garble(&bytes, edit >> 1) }
    let reading = compare(bytes)
    if edits.isEmpty, offer.isPredicted { check(reading.outcome, equals: offer.outcome) }
}

/// Splits a message into a record of `start` bytes, up to 64 records of the given sizes, and
/// records that are as long as possible.
private func records(of message: [UInt8], startingWith start: Int, _ sizes: [Int]) -> [UInt8] {
    var records = start > 0 ? record(Array(message.prefix(start))) : []
    var rest = message.dropFirst(start)
    var count = 0
    while !rest.isEmpty {
        let size = count < 64 ? sizes[count % sizes.count] : 1 << 14
        count += 1
        records += record(Array(rest.prefix(size)))
        rest = rest.dropFirst(size)
    }
    return records
}

private func garble(_ bytes: inout [UInt8], _ edit: UInt32) {
    let values: [UInt8] = [0, 1, 2, 3, 4, 16, 22, 32, 33, 43, 0x40, 0x7F, 0x80, 0xFF]
    let value = values[Int(edit >> 8 & 0x7F) % values.count]
    // Most fields are at the beginning.
    let index = Int(edit >> 15) % min(bytes.count, edit & 0x80 == 0 ? 256 : .max)
    switch edit % 5 {
    case 0: bytes.insert(value, at: index)
    case 1: bytes[index] = value
    case 2: bytes[index] &+= 1
    case 3: bytes[index] &-= 1
    default: bytes.remove(at: index)
    }
}

private func record(_ fragment: [UInt8]) -> [UInt8] {
    [22, 3, 1] + Offer.vector(2, fragment)
}

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
