internal import SystemPackage
internal import TestSupport

/// A server that looks at the PROXY headers that it is sent; it knows no more of them than tests
/// need.
struct HeaderServer: ~Copyable {
    /// Whom a header speaks for, each as address and port.
    struct Header: Hashable {
        var source: String
        var destination: String
    }

    /// A header that is none, or of addresses that no test has.
    struct BadHeader: Error {
        let bytes: [UInt8]
    }

    private let server: Server

    init() throws {
        server = try Server()
    }

    var address: String { "127.0.0.1:\(server.port)" }

    /// Waits for a connection.
    func accept() throws -> Held {
        Held(try server.accept())
    }

    /// Reads the header that a connection begins with, which is to be one of TCP over IPv4.
    func readHeader(of held: Held, version: String) throws -> Header {
        if version == "v1" {
            let line = try held.client.receiveLine() ?? ""
            let words = line.split(whereSeparator: \.isWhitespace)
            guard words.count == 6, line.hasPrefix("PROXY TCP4 "), line.hasSuffix("\r") else {
                throw BadHeader(bytes: Array(line.utf8))
            }
            return Header(source: "\(words[2]):\(words[4])", destination: "\(words[3]):\(words[5])")
        }
        let bytes = try held.client.receive(exactly: 28)
        let start: [UInt8] =
            Array("\r\n\r\n\0\r\nQUIT\n".utf8) + [0x21, 0x11, 0, 12]
        guard bytes.count == 28, Array(bytes.prefix(16)) == start else {
            throw BadHeader(bytes: bytes)
        }
        func address(at index: Int, port: Int) -> String {
            let host = bytes[index..<index + 4].map(String.init).joined(separator: ".")
            return "\(host):\(Int(bytes[port]) << 8 | Int(bytes[port + 1]))"
        }
        return Header(
            source: address(at: 16, port: 24),
            destination: address(at: 20, port: 26)
        )
    }
}
