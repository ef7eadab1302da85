import Testing

@testable import Varlink

/// Returns messages as they are sent on the wire.
func wire(_ messages: [String]) -> [UInt8] {
    messages.flatMap { message -> [UInt8] in Array(message.utf8) + [0] }
}

func wire(_ messages: String...) -> [UInt8] {
    wire(messages)
}

extension MessageFraming {
    mutating func append(_ bytes: some Collection<UInt8>) {
        append(upTo: max(bytes.count, 1)) { output in
            for byte in bytes { output.append(byte) }
        }
    }
}

extension ServerConnection {
    mutating func receive(_ bytes: some Collection<UInt8>) {
        receive(upTo: max(bytes.count, 1)) { output in
            for byte in bytes { output.append(byte) }
        }
    }

    /// Returns everything that the connection has to send, one string per message.
    mutating func sentMessages() -> [String] {
        var bytes: [UInt8] = []
        while send({ span in
            for index in span.indices { bytes.append(span[index]) }
            return span.count
        }) {}
        return bytes.split(separator: 0, omittingEmptySubsequences: false).dropLast()
            .map { String(decoding: $0, as: UTF8.self) }
    }
}

extension ClientConnection {
    mutating func receive(_ bytes: some Collection<UInt8>) {
        receive(upTo: max(bytes.count, 1)) { output in
            for byte in bytes { output.append(byte) }
        }
    }
}

/// Makes a service with one interface whose methods the tests call.
func makeService() throws -> Service {
    try Service(
        vendor: "Vendor",
        product: "Product",
        version: "1.2.3",
        url: "https://example.org",
        interfaces: [Interface(description: exampleDescription)]
    )
}

let exampleDescription = """
    # For tests.
    interface org.example.test

    method Echo(text: string) -> (text: string)

    method Nothing() -> ()

    """

/// The parameters of `org.example.test.Echo`, one of each type.
struct EchoParameters: CallParameters, Codable, Equatable {
    enum CodingKeys: CodingKey, CaseIterable {
        case text
        case count
        case inner
    }

    struct Inner: Codable, Equatable {
        var flag: Bool
    }

    var text: String
    var count: Int?
    var inner: Inner?
}
