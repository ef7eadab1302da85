internal import FuzzSupport

@testable internal import VerypollConfiguration
@testable internal import VerypollServer

/// Compares the reading of servers' answers to health checks, whole and in pieces, with each other
/// and with simple descriptions of the right answers.
private let target = FuzzTarget(seeds: seeds) { input in
    let bytes = input.indices.map { input[$0] }
    guard let kind = bytes.first else { return }
    compare(kind, Array(bytes.dropFirst()))
}

private let seeds: [[UInt8]] =
    [
        "\u{0}xxPONG", "\u{1}HTTP/1.1 200 OK\r\n",
        "\u{1}HTTP/1.1 103 x\r\nA: b\r\n\r\nHTTP/1.0 404\n", "\u{2}+PONG\r\n",
        "\u{2}-LOADING x\r\n", "\u{3}R\u{0}\u{0}\u{0}\u{8}\u{0}\u{0}\u{0}\u{0}",
        "\u{3}E\u{0}\u{0}\u{0}\u{16}C57P03\u{0}Mstarting\u{0}\u{0}",
    ].map { Array($0.utf8) }

private func exchange(_ kind: UInt8) -> CheckExchange {
    let service: UpstreamConfiguration.HealthCheck.Service? =
        switch kind {
        case 1: .http(.init())
        case 2: .redis
        case 3: .postgresql(.init())
        default: nil
        }
    let check = UpstreamConfiguration.HealthCheck(
        interval: .seconds(1),
        timeout: .seconds(1),
        rise: 1,
        fall: 1,
        send: "",
        expect: service == nil ? "PONG" : "",
        service: service
    )
    return CheckExchange(check, of: .host(name: "a", port: 80), version: "1")
}

private func compare(_ kind: UInt8, _ answer: [UInt8]) {
    var whole = exchange(kind)
    let step = whole.receive(answer)
    var single = exchange(kind)
    var last = CheckExchange.Step.wait
    var count = 0
    while last == .wait, count < answer.count {
        last = single.receive([answer[count]])
        count += 1
    }
    switch (step, last) {
    // A message shows only the bytes that have arrived.
    case (.failure, .failure): break
    default: require(step == last, "\(step) at once, but \(last) in pieces, of \(answer)")
    }
    switch step {
    case .refusal, .unexpected: require(false, "\(step) has no reason")
    default: break
    }
    if !(1...3).contains(kind) {
        let pattern = Array("PONG".utf8)
        let isThere = answer.indices.contains { answer[$0...].starts(with: pattern) }
        require((step == .success) == isThere, "\(step) for \(answer)")
    }
    if kind == 2, step == .success {
        let isSign = ["+PONG", "-NOAUTH ", "-NOPERM "].contains { answer.starts(with: $0.utf8) }
        require(isSign, "\(answer) is a success")
    }
    if kind == 1, step == .success {
        require(answer.starts(with: "HTTP/1.".utf8), "\(answer) is a success")
    }
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
