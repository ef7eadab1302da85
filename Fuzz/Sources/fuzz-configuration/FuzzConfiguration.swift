internal import FuzzSupport

@testable internal import StrictJSON
@testable internal import VerypollConfiguration
@testable internal import VerypollDaemon
@testable internal import VerypollServer

/// Parses arbitrary texts as configurations: each has a verdict, and every problem has a position.
///
/// `Scripts/fuzz` starts with the examples in config/examples.
private let target = FuzzTarget(seeds: seeds) { input in
    let text = input.indices.map { input[$0] }
    let verdict = judge(text)
    require(judge(text) == verdict, "the same text has two verdicts")
    checkGrammar(text)
    switch verdict {
    case .success(let configuration):
        check(configuration)
        checkCuts(text)
    case .failure(let error): check(error, of: text)
    }
}

private let seeds = [
    #"{"listeners":{"a":{"listen":["127.0.0.1:1"],"handler":{"type":"echo"}}}}"#,
    #"{"listeners":{"a":{"listen":["[::]:1","unix:/a","unix:@b","systemd:c"],"handler":"#
        + #"{"type":"proxy","upstream":"u"},"maxSessions":2,"whenFull":"reject","allow":["#
        + #""10.0.0.0/8"],"deny":["::1"],"proxyProtocol":{"from":["::/0"],"timeout":"3s"}}},"#
        + #""upstreams":{"u":{"servers":["a:1",{"address":"[::1]:2","weight":2,"backup":true}]}}}"#,
    #"{"workers":"auto","limits":{"maxSessions":9},"drain":{"deadline":"1min 30s"},"log":{"#
        + #""level":"trace","sessions":true},"control":{"socket":"/a","mode":"0600"},"#
        + #""listeners":{"\u00e4\ud83d\ude00":{"listen":["1.2.3.4:5"],"handler":{"type":"drop"}}}}"#,
    #"{"ä😀ö":1,"workers":"äöü""#,
    #"{"listeners":[],"listeners":{"a":{"listen":["x"],"listen":7,"timeouts":{"idle":-1.5e3}}}}"#,
]

private func judge(_ text: [UInt8]) -> Result<Configuration, ConfigurationError> {
    Result { () throws(ConfigurationError) in
        try Configuration(parsing: text, file: "file", descriptorLimit: 1024)
    }
}

/// Checks that the grammar check accepts exactly JSON.
///
/// Parsing may also reject half a surrogate pair and deeply nested values.
private func checkGrammar(_ text: [UInt8]) {
    let check = Result { () throws(JSONSyntaxError) in
        try JSONDocument.check(text, limits: JSONLimits(byteCount: .max, depth: 512))
    }
    let passes = (try? check.get()) != nil
    require(passes == JSONGrammar.isValid(text), "the grammar check is wrong about JSON")
    if let document = try? JSONDocument(parsing: text) {
        require(passes, "parsed a text that is not JSON")
        let again = try? JSONDocument(parsing: Array(document.root.text.utf8))
        require(again?.root == document.root, "a rewritten document differs")
    }
}

/// Checks that an accepted configuration can be served.
private func check(_ configuration: Configuration) {
    require((1...1024).contains(configuration.workers), "\(configuration.workers) workers")
    require(configuration.limits.maxSessions > 0, "no sessions are allowed")
    let upstreams = Set(configuration.upstreams.map(\.name))
    require(upstreams.count == configuration.upstreams.count, "an upstream is defined twice")
    for listener in configuration.listeners {
        require(!listener.addresses.isEmpty, "\(listener.name) has no addresses")
        for upstream in listener.handler.routing?.upstreams ?? [] {
            require(upstreams.contains(upstream), "\(listener.name) has no upstream")
        }
    }
    require(
        configuration.upstreams.allSatisfy { !$0.servers.isEmpty },
        "an upstream has no servers"
    )
}

/// Checks that no prefix of a configuration is a configuration.
private func checkCuts(_ text: [UInt8]) {
    guard let end = text.lastIndex(of: UInt8(ascii: "}")) else {
        return require(false, "a configuration that is not an object")
    }
    for cut in Set([0, end / 2, end]) {
        guard case .failure = judge(Array(text.prefix(cut))) else {
            return require(false, "a prefix of \(cut) bytes is valid")
        }
    }
}

/// Checks that a rejection has a reason, and that each problem is one line with a position in the
/// text.
private func check(_ error: ConfigurationError, of text: [UInt8]) {
    require(!error.problems.isEmpty, "rejected without a reason")
    let lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for problem in error.problems {
        require(!problem.message.isEmpty, "a problem without a message")
        let description = problem.description
        require(
            !description.unicodeScalars.contains { $0.properties.generalCategory == .control },
            "a control character in \(description)"
        )
        require(description.hasPrefix("file"), "the wrong file: \(description)")
        guard let position = problem.position else {
            require(false, "a problem without a position: \(description)")
            continue
        }
        require((1...lines.count).contains(position.line), "\(position) of \(lines.count) lines")
        // The position just after the last character is valid as well, if something is missing
        // there.
        let line = lines[position.line - 1]
        let isText = String(validating: text, as: UTF8.self) != nil
        let count = isText ? String(decoding: line, as: UTF8.self).unicodeScalars.count : line.count
        let columns = 1...count + 1
        require(columns.contains(position.column), "\(position) is not in \(columns)")
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
