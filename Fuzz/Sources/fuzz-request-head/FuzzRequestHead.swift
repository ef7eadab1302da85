internal import FuzzSupport

@testable internal import StrictJSON
@testable internal import VerypollConfiguration
@testable internal import VerypollDaemon
@testable internal import VerypollServer

/// Compares the parsing of whole, truncated and garbled request heads with a simple parser.
private let target = FuzzTarget(
    seeds: [
        "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n",
        "HEAD http://[::1]:9464/metrics?a HTTP/1.0\r\nConnection: a, close\r\n\r\n",
        "POST /metrics HTTP/1.1\r\nHost: a:80\r\nContent-Length: 0\r\n\r\nGET / HTTP/1.1\r\n",
        "\r\nGET /metrics HTTP/1.1\r\nHost:a\r\nTransfer-Encoding:chunked\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nHost: a\r\n"
            + "Accept: application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.4\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nHost : a\r\n folded: b\r\nContent-Length: 1, 1\r\n\r\n",
        "GET  /metrics HTTP/1.1\nHost: a\r\r\nConnection: \tclose\t,b \r\n\n\r\n",
        "GET /status.json HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"a\", W/\"b\"\r\n\r\n",
        "GET http://a?x HTTP/1.1\r\nHost: a\r\n\r\n",
    ]
) { input in
    let finding = RequestHead.parse(input)
    checkCuts(input, finding)
    checkPadding(input)
    let expected = Reading(Array(input.indices.map { input[$0] }))
    switch finding {
    case .incomplete:
        require(expected.byteCount == nil, "a complete head was reported as incomplete")
    case .refused: require(!expected.isGranted, "a valid request was rejected")
    case .complete(let head, let byteCount):
        require(expected.isGranted, "an invalid request was accepted")
        require(byteCount == expected.byteCount, "the head ends elsewhere")
        require(head.isHead == (expected.method == "HEAD"), "GET or HEAD")
        require(head.isPersistent == expected.isPersistent, "wrong about persistence")
    }
}

/// Checks that a result does not depend on following bytes, and that a shorter prefix is
/// incomplete.
private func checkCuts(_ input: Span<UInt8>, _ finding: RequestHead.Finding) {
    // One cut per input, at a position derived from its bytes.
    let sum = input.indices.reduce(0) { $0 &* 31 &+ Int(input[$1]) }
    let cut = Int(sum.magnitude % UInt(input.count + 1))
    let early = RequestHead.parse(input.extracting(first: cut))
    if case .complete(_, let byteCount) = finding, cut < byteCount {
        require(early == .incomplete, "complete before its end")
    } else {
        require(early == .incomplete || early == finding, "a different result for \(cut) bytes")
    }
}

/// Checks that no input remains incomplete beyond the limit.
private func checkPadding(_ input: Span<UInt8>) {
    var bytes = input.indices.map { input[$0] }
    bytes += [UInt8](repeating: 0x78, count: RequestHead.byteLimit)
    require(RequestHead.parse(bytes.span) != .incomplete, "incomplete beyond the limit")
}

/// A simple, slow parser of a request, written from the grammar of RFC 9112.
private struct Reading {
    var byteCount: Int?
    var method: Substring = ""
    var isPersistent = false
    var isGranted = false

    init(_ bytes: [UInt8]) {
        // Each byte becomes a separate character, except for CR LF, which Swift would merge.
        let text = bytes.map { Character(Unicode.Scalar($0)) }
        var start = 0
        while text[start...].starts(with: ["\r", "\n"]) { start += 2 }
        let marks: [Character] = ["\r", "\n", "\r", "\n"]
        guard let end = (start..<text.count).first(where: { text[$0...].starts(with: marks) })
        else { return }
        byteCount = end + 4
        var lines: [[Character]] = [[]]
        var position = start
        while position < end {
            if text[position...].starts(with: ["\r", "\n"]) {
                lines.append([])
                position += 2
            } else {
                lines[lines.count - 1].append(text[position])
                position += 1
            }
        }
        let isClean = lines.joined().allSatisfy { $0 == "\t" || !Self.isControl($0) }
        guard isClean, lines.allSatisfy({ !$0.isEmpty }) else { return }
        read(String(lines[0]), lines.dropFirst().map { String($0) })
    }

    private mutating func read(_ line: String, _ fields: [String]) {
        let words = line.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 3, words[2].wholeMatch(of: /HTTP\/1\.[0-9]/) != nil else { return }
        method = words[0]
        let target = words[1].prefix { $0 != "?" }
        let host = /[-0-9A-Za-z._~!$&'()*+,;=%:\[\]]*/
        let authority = /[hH][tT][tT][pP]:\/\/[-0-9A-Za-z._~!$&'()*+,;=%:\[\]]+/
        let address = target.prefixMatch(of: authority).map { target[$0.range.upperBound...] }
        let path = address == "" ? "/" : address ?? target
        guard ["GET", "HEAD"].contains(method), ["/", "/metrics", "/status.json"].contains(path),
            words[1].wholeMatch(of: /[!-~]+/) != nil
        else { return }
        var values: [String: [Substring]] = [:]
        for field in fields {
            guard let match = field.wholeMatch(of: /(?s)([!#$%&'*+\-.^_`|~0-9A-Za-z]+):(.*)/) else {
                return
            }
            let value = match.2.drop { $0 == " " || $0 == "\t" }
            let blanks = value.reversed().prefix { $0 == " " || $0 == "\t" }.count
            values[match.1.lowercased(), default: []].append(value.dropLast(blanks))
        }
        let isOld = words[2] == "HTTP/1.0"
        let hosts = values["host"] ?? []
        guard hosts.count == 1 || isOld && hosts.isEmpty,
            hosts.allSatisfy({ $0.wholeMatch(of: host) != nil }),
            values["transfer-encoding"] == nil,
            (values["content-length"] ?? []).allSatisfy({ $0.wholeMatch(of: /0+/) != nil })
        else { return }
        isGranted = true
        let options = (values["connection"] ?? []).flatMap { $0.split(separator: ",") }
        let closes = options.contains {
            $0.lowercased().wholeMatch(of: /[ \t]*close[ \t]*/) != nil
        }
        isPersistent = !isOld && !closes
    }

    private static func isControl(_ character: Character) -> Bool {
        character.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F }
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
