internal import FuzzSupport
internal import Verypoll

@testable internal import VerypollServer

/// Reads messages of name servers, and checks what every answer must satisfy.
///
/// The message is first the answer for the SRV records, and then also the answer to each question
/// for addresses that follows from it.
private let target = FuzzTarget(seeds: seeds) { input in
    let bytes = input.indices.map { input[$0] }
    checkName(String(decoding: bytes, as: UTF8.self))
    guard let message = try? DNSMessage(bytes) else { return }
    check(message)
    guard let question = message.question else { return }
    let (records, _) = message.records(for: question)
    require(records.allSatisfy { $0.data.type == question.type }, "a record of another type")
    let asked = question.message(identifier: message.identifier, extended: true)
    require((try? DNSMessage(asked))?.question == question, "\(asked) does not ask \(question)")
    guard question.type == .srv, var findings = try? ServiceFindings(message, to: question) else {
        return
    }
    check(findings.answer)
    for question in findings.questions { findings.add(message, to: question) }
    check(findings.answer)
    exchange(bytes, question)
}

/// The message `_a.b IN SRV`, with one server `c.b` and its address.
private let seeds: [[UInt8]] = [
    [
        0, 7, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 1, 2, 0x5F, 0x61, 1, 0x62, 0, 0, 33, 0, 1,
        0xC0, 12, 0, 33, 0, 1, 0, 0, 0, 60, 0, 11, 0, 1, 0, 2, 0, 80, 1, 0x63, 1, 0x62, 0,
        1, 0x63, 0xC0, 15, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, 192, 0, 2, 1,
    ],
    [
        0, 7, 0x81, 0x80, 0, 1, 0, 2, 0, 0, 0, 0, 2, 0x5F, 0x61, 1, 0x62, 0, 0, 33, 0, 1,
        0xC0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, 4, 1, 0x64, 0xC0, 15,
        1, 0x64, 0xC0, 15, 0, 33, 0, 1, 0x80, 0, 0, 60, 0, 7, 0, 1, 0, 2, 0, 80, 0,
    ],
    [
        0, 7, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 1, 1, 0x63, 0, 0, 28, 0, 1,
        0xC0, 12, 0, 28, 0, 1, 0, 0, 0, 60, 0, 16, 32, 1, 13, 184, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        1, 0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0,
    ],
    Array("_app._tcp.Example.test.".utf8),
]

private func checkName(_ text: String) {
    guard let name = DNSName(text) else { return }
    check(name)
    let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
    let loud = text.utf8.map { letters.contains($0) ? $0 & ~0x20 : $0 }
    let other = DNSName(String(decoding: loud, as: UTF8.self))
    require(other == name, "the case of \(text) matters")
}

private func check(_ name: DNSName) {
    require((1...255).contains(name.bytes.count), "\(name) has \(name.bytes.count) bytes")
    var reader = DNSReader(name.bytes)
    let again = try? reader.name()
    require(again == name && reader.offset == name.bytes.count, "\(name) is not a name")
    let text = name.description
    let isPlain = text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    require(isPlain && !text.isEmpty, "\(name.bytes) has unusual text")
    if !text.contains("\\") { require(DNSName(text) == name, "\(text) is another name") }
}

private func check(_ message: DNSMessage) {
    for record in message.answers + message.additional {
        check(record.owner)
        require(record.timeToLive < 1 << 31, "\(record.timeToLive) seconds")
        switch record.data {
        case .alias(let name): check(name)
        case .service(let service): check(service.target)
        case .address: break
        }
    }
}

private func check(_ answer: ServiceAnswer) {
    require(answer.isNotOffered == answer.records.isEmpty, "\(answer) is offered, or not")
    require(answer.records.count <= ServiceAnswer.recordLimit, "too many records")
    let lifetime = answer.timeToLive
    require(lifetime >= .zero && lifetime < .seconds(1 << 31), "valid for \(lifetime)")
    for (left, right) in zip(answer.records, answer.records.dropFirst()) {
        let isOrdered =
            (left.priority, left.target, left.port) < (right.priority, right.target, right.port)
        require(isOrdered, "\(left) before \(right)")
    }
    for record in answer.records {
        require(record.target != ".", "the target . in \(answer)")
        let addresses = record.addresses
        require(addresses.count <= ServiceAnswer.addressLimit, "too many addresses")
        require(Set(addresses).count == addresses.count, "an address twice")
    }
}

/// Passes the message as the answer to the question, as a server would send it.
private func exchange(_ bytes: [UInt8], _ question: DNSQuestion) {
    var inquiry = DNSInquiry([question])
    require(inquiry.begin(with: .loopback(port: 53), isRepetition: false), "no question")
    guard let asked = inquiry.nextDatagram() else { fatalError("no message") }
    let answer = asked.prefix(2) + bytes.dropFirst(2)
    let isAwaited = inquiry.receive(Array(answer), isStream: false)
    require(isAwaited != inquiry.isWaiting, "a question is lost")
    inquiry.endDatagrams()
    inquiry.endStream()
    require(inquiry.results.count == 1, "\(inquiry.results.count) results")
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
