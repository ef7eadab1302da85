@testable internal import VerypollServer

/// The result of parsing a ClientHello; the fields are meaningful if the message is complete.
struct Outcome: Equatable {
    var finding = ClientHello.Finding.complete
    var serverName: [UInt8] = []
    var protocols: [UInt8] = []
    var versions: ClientHello.Versions = []

    static func == (left: Outcome, right: Outcome) -> Bool {
        guard left.finding == .complete else { return left.finding == right.finding }
        return right.finding == .complete && left.serverName == right.serverName
            && left.protocols == right.protocols && left.versions == right.versions
    }
}

/// The ClientHello at the beginning of a connection, parsed as RFC 8446, RFC 6066 and RFC 7301
/// specify.
///
/// Bytes are parsed one after the other, so that the finding is known as early as possible.
struct Reading {
    private struct Stop: Error {
        let finding: ClientHello.Finding
    }

    private static let recordLimit = 1 << 14
    private static let messageLimit = 1 << 14

    private(set) var outcome = Outcome()
    /// The number of bytes that decide the finding: at least and at most this many.
    private(set) var byteCount = 0...0

    private let bytes: [UInt8]
    private var offset = 0
    /// The number of bytes of the current record that were not parsed.
    private var recordRest = 0
    /// The number of bytes of the message that were parsed.
    private var position = 0
    private var messageEnd = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        do throws(Stop) {
            try parseMessage()
        } catch {
            outcome.finding = error.finding
        }
        let earliest = offset
        if outcome.finding == .malformed(.serverName) { skipEntryLength() }
        byteCount = earliest...offset
    }

    /// Skips a length, because a parser may read both the type and the length of a name before it
    /// checks that they fit in the list.
    private mutating func skipEntryLength() {
        do throws(Stop) {
            for _ in 0..<min(2, messageEnd - position) { _ = try messageByte() }
        } catch {
            // The connection is cut off or malformed here.
            if error.finding == .incomplete { offset += 1 }
        }
    }

    /// Parses the handshake message of RFC 8446, sections 4 and 4.1.2.
    private mutating func parseMessage() throws(Stop) {
        guard try messageByte() == 1 else { throw Stop(finding: .malformed(.type)) }
        let length = try number(3, before: 4, .length)
        guard length <= Self.messageLimit else { throw Stop(finding: .tooLarge) }
        let end = position + length
        messageEnd = end
        let legacyVersion = try number(2, before: end, .length)
        _ = try field(32, before: end, .length)
        let session = try number(1, before: end, .length)
        try check(session <= 32, .length)
        _ = try field(session, before: end, .length)
        let suites = try number(2, before: end, .length)
        try check(suites >= 2 && suites.isMultiple(of: 2), .length)
        _ = try field(suites, before: end, .length)
        let methods = try number(1, before: end, .length)
        try check(methods >= 1, .length)
        _ = try field(methods, before: end, .length)
        var types: Set<Int> = []
        if position < end {
            let block = try number(2, before: end, .length)
            try check(position + block == end, .length)
            while position < end { try parseExtension(before: end, &types) }
        }
        // Section 4.2.1: without the extension, a client offers at most TLS 1.2, even if its
        // version is a later one.
        if !types.contains(43) { outcome.versions = Self.versions(of: min(legacyVersion, 0x0303)) }
    }

    private mutating func parseExtension(
        before blockEnd: Int,
        _ types: inout Set<Int>
    ) throws(Stop) {
        let type = try number(2, before: blockEnd, .length)
        let length = try number(2, before: blockEnd, .length)
        let end = position + length
        try check(end <= blockEnd, .length)
        if [0, 16, 43].contains(type) { try check(types.insert(type).inserted, .repetition) }
        switch type {
        case 0: try parseServerNames(end)
        case 16: try parseProtocols(end)
        case 43: try parseVersions(end)
        default: _ = try field(length, before: end, .length)
        }
    }

    /// Parses the list of RFC 6066, section 3.
    private mutating func parseServerNames(_ end: Int) throws(Stop) {
        let length = try number(2, before: end, .serverName)
        try check(length >= 4 && position + length == end, .serverName)
        while position < end {
            let type = try number(1, before: end, .serverName)
            let length = try number(2, before: end, .serverName)
            try check(type != 0 || outcome.serverName.isEmpty && length >= 1, .serverName)
            let name = try field(length, before: end, .serverName)
            if type == 0 { outcome.serverName = name }
        }
    }

    /// Parses the list of RFC 7301, section 3.1.
    private mutating func parseProtocols(_ end: Int) throws(Stop) {
        let length = try number(2, before: end, .protocols)
        try check(length >= 2 && position + length == end, .protocols)
        while position < end {
            let length = try number(1, before: end, .protocols)
            try check(length >= 1, .protocols)
            outcome.protocols += try [UInt8(length)] + field(length, before: end, .protocols)
        }
    }

    /// Parses the list of RFC 8446, section 4.2.1.
    private mutating func parseVersions(_ end: Int) throws(Stop) {
        let length = try number(1, before: end, .versions)
        try check(length >= 2 && length.isMultiple(of: 2), .versions)
        try check(position + length == end, .versions)
        while position < end {
            outcome.versions.formUnion(Self.versions(of: try number(2, before: end, .versions)))
        }
    }

    private static func versions(of number: Int) -> ClientHello.Versions {
        let all: [Int: ClientHello.Versions] = [
            0x0301: .tls10, 0x0302: .tls11, 0x0303: .tls12, 0x0304: .tls13,
        ]
        return all[number] ?? []
    }

    private func check(_ isValid: Bool, _ reason: ClientHello.Reason) throws(Stop) {
        guard isValid else { throw Stop(finding: .malformed(reason)) }
    }

    /// Parses a number of the message, most significant byte first.
    private mutating func number(
        _ size: Int,
        before end: Int,
        _ reason: ClientHello.Reason
    ) throws(Stop) -> Int {
        try check(position + size <= end, reason)
        var number = 0
        for _ in 0..<size { number = number << 8 | Int(try messageByte()) }
        return number
    }

    /// Parses bytes of the message that end at `end` or before.
    private mutating func field(
        _ size: Int,
        before end: Int,
        _ reason: ClientHello.Reason
    ) throws(Stop) -> [UInt8] {
        try check(position + size <= end, reason)
        var field: [UInt8] = []
        field.reserveCapacity(size)
        while field.count < size { field.append(try messageByte()) }
        return field
    }

    private mutating func messageByte() throws(Stop) -> UInt8 {
        if recordRest == 0 { try parseRecordHeader() }
        let byte = try nextByte()
        recordRest -= 1
        position += 1
        return byte
    }

    /// Parses the first fields of the TLSPlaintext of RFC 8446, section 5.1.
    private mutating func parseRecordHeader() throws(Stop) {
        for expected: UInt8 in [22, 3] where try nextByte() != expected {
            throw Stop(finding: position == 0 ? .notTLS : .malformed(.record))
        }
        _ = try nextByte()
        recordRest = try Int(nextByte()) << 8 | Int(nextByte())
        try check((1...Self.recordLimit).contains(recordRest), .record)
    }

    private mutating func nextByte() throws(Stop) -> UInt8 {
        guard offset < bytes.count else { throw Stop(finding: .incomplete) }
        defer { offset += 1 }
        return bytes[offset]
    }
}
