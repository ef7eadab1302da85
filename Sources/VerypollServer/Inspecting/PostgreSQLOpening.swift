/// The first message of a PostgreSQL client.
///
/// See "SSL Session Encryption" and "GSSAPI Session Encryption" in chapter 55.2 of PostgreSQL's
/// manual. A request is a length of 8 and a code, each in 32 bits, most significant byte first.
enum PostgreSQLOpening: Equatable {
    /// The beginning of a request.
    case incomplete
    /// SSLRequest: the client asks for TLS, and waits for one byte.
    case requestForTLS
    /// GSSENCRequest: the client asks for GSSAPI encryption, and waits for one byte.
    case requestForGSS
    /// The client begins with TLS, without a request.
    case tls
    /// Anything else, such as a startup message without encryption or a CancelRequest.
    case other

    /// The length of a request.
    static let requestLength = 8

    /// The bytes of SSLRequest.
    static let request: [8 of UInt8] = [0, 0, 0, 8, 0x04, 0xD2, 0x16, 0x2F]

    /// The answer to a request that is granted.
    static let granted = UInt8(ascii: "S")

    /// The answer to a request that is refused.
    static let refused = UInt8(ascii: "N")

    /// The last byte of GSSENCRequest, which otherwise equals SSLRequest.
    private static let gssCode: UInt8 = 0x30

    /// The type of a TLS record with handshake messages.
    private static let handshake: UInt8 = 22

    /// Interprets the bytes that a client has sent, of which there is at least one.
    static func parse(_ bytes: Span<UInt8>) -> PostgreSQLOpening {
        if bytes[0] == handshake { return .tls }
        let last = requestLength - 1
        for index in 0..<min(bytes.count, last) where bytes[index] != request[index] {
            return .other
        }
        guard bytes.count >= requestLength else { return .incomplete }
        switch bytes[last] {
        case request[last]: return .requestForTLS
        case gssCode: return .requestForGSS
        default: return .other
        }
    }
}
