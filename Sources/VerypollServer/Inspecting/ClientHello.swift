/// The first message of a TLS client, as far as it decides where a connection is routed.
///
/// The parser is incremental: the bytes may arrive in any pieces, and the result does not depend on
/// where they are split. It reassembles the message from its records. It does not need memory for
/// the parts that do not matter, and it allocates only if a name or a list of protocols is longer
/// than any before.
///
/// See RFC 8446, 4.1.2 and 5.1; RFC 6066, 3; RFC 7301, 3.1. GREASE values (RFC 8701) and unknown
/// extensions are skipped. With Encrypted Client Hello (RFC 9849), the outer name counts.
package struct ClientHello: Equatable, Sendable {
    /// The longest body of the handshake message; the message is 4 bytes longer.
    static let longestBody = 16 * 1024

    /// The longest fragment of a record; RFC 8446, 5.1.
    private static let longestFragment = 1 << 14

    /// The meaning of the bytes so far.
    package enum Finding: Equatable, Sendable {
        /// The beginning of a ClientHello.
        case incomplete
        /// They contain a whole ClientHello.
        case complete
        /// They are not TLS: the first two bytes are not those of a handshake record.
        case notTLS
        /// TLS, but not a valid ClientHello.
        case malformed(Reason)
        /// A ClientHello that is longer than ``longestBody``.
        case tooLarge
    }

    /// The part of a ClientHello that is invalid.
    package enum Reason: String, Sendable {
        case record = "has an invalid record"
        case type = "is another handshake message"
        case length = "has lengths that contradict each other"
        case serverName = "has an invalid server_name extension"
        case protocols = "has an invalid ALPN extension"
        case versions = "has an invalid supported_versions extension"
        case repetition = "has an extension twice"
        case end = "is cut off"
    }

    /// The TLS versions that a client offers.
    package struct Versions: OptionSet, Sendable {
        package let rawValue: UInt8

        package init(rawValue: UInt8) { self.rawValue = rawValue }

        package static let tls10 = Versions(rawValue: 1 << 1)
        package static let tls11 = Versions(rawValue: 1 << 2)
        package static let tls12 = Versions(rawValue: 1 << 3)
        package static let tls13 = Versions(rawValue: 1 << 4)

        /// The version with a number of the protocol; empty for an unknown one.
        init(number: Int) {
            self = (0x0301...0x0304).contains(number) ? [.init(rawValue: 1 << (number & 0xF))] : []
        }
    }

    /// The bytes of the first host name, as the client sent them; empty if there is none.
    package private(set) var serverName: [UInt8] = []

    /// The protocols that the client offers, in its order, each after a byte with its length.
    package internal(set) var protocols: [UInt8] = []

    /// The versions that the client offers.
    package internal(set) var versions: Versions = []

    var finding = Finding.incomplete
    /// The number of bytes of the current record's header that were read.
    private var headerCount = 0
    /// The unread bytes of the current record.
    private var recordRest = 0
    var field = Field.handshakeType
    /// The unread bytes of the field.
    var fieldRest = 1
    /// The number in the field, as far as it was read.
    private var number = 0
    /// The unread bytes of the message, and of the list in the current extension.
    var messageRest = 4 + longestBody
    var listRest = 0
    /// The type of the current extension, or of the current name.
    var kind = 0
    var seen: Extensions = []

    /// The extensions that are read, to notice a second one.
    struct Extensions: OptionSet {
        let rawValue: UInt8
        static let serverName = Extensions(rawValue: 1 << 0)
        static let protocols = Extensions(rawValue: 1 << 1)
        static let versions = Extensions(rawValue: 1 << 2)
        /// Not an extension: a host name in the list of names.
        static let hostName = Extensions(rawValue: 1 << 3)
    }

    /// The part of the message that the next byte belongs to.
    enum Field {
        case handshakeType, messageLength, version, random
        case sessionIDLength, sessionID
        case ciphersLength, ciphers
        case compressionLength, compression
        case extensionsLength, extensionType, extensionLength, skippedExtension
        case namesLength, nameType, nameLength, hostName, otherName
        case protocolsLength, protocolLength, protocolName
        case versionsLength, versionNumber
        case end
    }

    package init() {}

    /// Forgets everything, but keeps the memory.
    mutating func removeAll() {
        var next = ClientHello()
        swap(&next.serverName, &serverName)
        swap(&next.protocols, &protocols)
        next.serverName.removeAll(keepingCapacity: true)
        next.protocols.removeAll(keepingCapacity: true)
        self = next
    }

    // MARK: Records

    /// Reads the next bytes of the connection.
    ///
    /// The result is final unless it is `incomplete`; later bytes do not change it.
    package mutating func read(_ bytes: Span<UInt8>) -> Finding {
        var index = 0
        while index < bytes.count, finding == .incomplete {
            guard headerCount == 5 else {
                readHeader(bytes[index])
                index += 1
                continue
            }
            let end = min(bytes.count, index + recordRest)
            recordRest -= end - index
            if recordRest == 0 { headerCount = 0 }
            readFragment(bytes.extracting(index..<end))
            index = end
        }
        return finding
    }

    /// The final result if no more bytes follow.
    package var findingAtEnd: Finding { finding == .incomplete ? .malformed(.end) : finding }

    private mutating func readHeader(_ byte: UInt8) {
        let isFirst = field == .handshakeType && fieldRest == 1
        switch headerCount {
        case 0 where byte != 22, 1 where byte != 3:
            finding = isFirst ? .notTLS : .malformed(.record)
        case 3: recordRest = Int(byte) << 8
        case 4:
            recordRest |= Int(byte)
            // A handshake message must not have empty fragments.
            if recordRest == 0 || recordRest > Self.longestFragment {
                finding = .malformed(.record)
            }
        default: break
        }
        headerCount += 1
    }

    // MARK: The message

    private mutating func readFragment(_ bytes: Span<UInt8>) {
        var index = 0
        while index < bytes.count, finding == .incomplete {
            let count = min(bytes.count - index, fieldRest)
            take(bytes.extracting(index..<index + count))
            index += count
            fieldRest -= count
            messageRest -= count
            if fieldRest == 0 { finishField() }
        }
    }

    /// Takes bytes of the current field.
    private mutating func take(_ bytes: Span<UInt8>) {
        switch field {
        case .random, .sessionID, .ciphers, .compression, .skippedExtension, .otherName: break
        case .hostName: for index in bytes.indices { serverName.append(bytes[index]) }
        case .protocolName: for index in bytes.indices { protocols.append(bytes[index]) }
        default: for index in bytes.indices { number = number << 8 | Int(bytes[index]) }
        }
    }

    /// Goes on to a field of the message.
    mutating func expect(_ next: Field, _ count: Int) {
        guard count <= messageRest else {
            finding = .malformed(.length)
            return
        }
        field = next
        fieldRest = count
        number = 0
        if count == 0 { finishField() }
    }

    /// Goes on to the field after the current one, whose bytes were all read.
    private mutating func finishField() {
        let number = number
        switch field {
        case .handshakeType:
            guard number == 1 else { return finding = .malformed(.type) }
            expect(.messageLength, 3)
        case .messageLength:
            guard number <= Self.longestBody else { return finding = .tooLarge }
            messageRest = number
            expect(.version, 2)
        case .version:
            // Without the extension, whatever the number, 1.2 is the newest; RFC 8446, 4.2.1.
            versions = Versions(number: min(number, 0x0303))
            expect(.random, 32)
        case .random: expect(.sessionIDLength, 1)
        case .sessionIDLength:
            guard number <= 32 else { return finding = .malformed(.length) }
            expect(.sessionID, number)
        case .sessionID: expect(.ciphersLength, 2)
        case .ciphersLength:
            guard number >= 2, number % 2 == 0 else { return finding = .malformed(.length) }
            expect(.ciphers, number)
        case .ciphers: expect(.compressionLength, 1)
        case .compressionLength:
            guard number >= 1 else { return finding = .malformed(.length) }
            expect(.compression, number)
        case .compression:
            // Clients before TLS 1.2 may send no extensions at all.
            if messageRest == 0 { finish() } else { expect(.extensionsLength, 2) }
        case .extensionsLength:
            guard number == messageRest else { return finding = .malformed(.length) }
            finishExtension()
        default: finishExtensionField(number)
        }
    }

    mutating func finish() {
        field = .end
        finding = .complete
    }
}
