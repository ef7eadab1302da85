import Testing

@testable import VerypollServer

@Suite("PostgreSQLOpening")
struct PostgreSQLOpeningTests {
    @Test(
        "the first message of a client is recognized",
        arguments: [
            ([0, 0, 0, 8, 4, 210, 22, 47], PostgreSQLOpening.requestForTLS),
            ([0, 0, 0, 8, 4, 210, 22, 48], .requestForGSS),
            ([0, 0, 0, 8, 4, 210, 22, 47, 22, 3], .requestForTLS),
            // A startup message of version 3.0, and a CancelRequest.
            ([0, 0, 0, 41, 0, 3, 0, 0], .other), ([0, 0, 0, 16, 4, 210, 22, 46], .other),
            ([0, 0, 0, 8, 4, 210, 22, 46], .other), ([22, 3, 1], .tls), ([22], .tls),
            (Array("GET ".utf8), .other), ([0], .incomplete),
            ([0, 0, 0, 8, 4, 210, 22], .incomplete),
            ([0, 0, 1], .other),
        ]
    )
    func recognizes(bytes: [UInt8], opening: PostgreSQLOpening) {
        #expect(PostgreSQLOpening.parse(bytes.span) == opening)
    }
}
