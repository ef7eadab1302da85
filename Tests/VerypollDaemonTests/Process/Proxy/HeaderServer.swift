internal import SystemPackage
internal import TestSupport

/// A server that parses the PROXY headers that it receives, as far as the tests need.
struct HeaderServer: ~Copyable {
    /// The source and destination in a header, each as address and port.
    struct Header: Hashable {
        var source: String
        var destination: String
    }

    /// An invalid header, or one with addresses that no test uses.
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

    /// Reads the header at the start of a connection, which must be one for TCP over IPv4.
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
