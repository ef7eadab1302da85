internal import VerypollConfiguration

/// The name and the protocols in a TLS client's ClientHello, and the client's route.
///
/// An object, because most sessions have none; see ``InspectedClientPool``.
package final class InspectedClient {
    /// The most bytes that are kept of the offered protocols.
    static let protocolLimit = 255

    /// The name as ``ServerName/normalize(_:)`` leaves it; empty if there is none.
    fileprivate(set) var serverName: [UInt8] = []

    /// The first protocols that the client offers, each after a byte with its length.
    fileprivate(set) var protocols: [UInt8] = []

    /// The index of the route in the listener's router; `nil` if no route matched the client.
    var route: Int?

    init() {}

    /// Takes the names from a ClientHello.
    func take(_ hello: borrowing ClientHello) {
        removeAll()
        // A longer name is not valid, and needs no memory.
        if hello.serverName.count <= ServerName.longest + 1 {
            for index in hello.serverName.indices { serverName.append(hello.serverName[index]) }
            if !ServerName.normalize(&serverName) { serverName.removeAll(keepingCapacity: true) }
        }
        var index = 0
        while index < hello.protocols.count {
            let end = index + 1 + Int(hello.protocols[index])
            guard end <= Self.protocolLimit else { break }
            while index < end {
                protocols.append(hello.protocols[index])
                index += 1
            }
        }
    }

    /// Returns whether bytes are a list of protocols as ``protocols`` keeps it.
    static func areProtocols(_ bytes: [UInt8]) -> Bool {
        var index = 0
        while index < bytes.count {
            guard bytes[index] > 0 else { return false }
            index += 1 + Int(bytes[index])
        }
        return index == bytes.count && index <= protocolLimit
    }

    /// Restores the names that an earlier process has recorded.
    func restore(serverName: [UInt8], protocols: [UInt8]) {
        removeAll()
        self.serverName = serverName
        self.protocols = protocols
    }

    func removeAll() {
        serverName.removeAll(keepingCapacity: true)
        protocols.removeAll(keepingCapacity: true)
        route = nil
    }

    /// The name as text, which is harmless: it has only letters, digits, hyphens and dots.
    var serverNameText: String? {
        serverName.isEmpty ? nil : String(decoding: serverName, as: UTF8.self)
    }

    /// The protocols as texts; an escape such as `\x1B` stands for each byte that is not printable
    /// ASCII, and for commas and backslashes.
    var protocolTexts: [String] {
        var texts: [String] = []
        var index = 0
        while index < protocols.count {
            let end = min(protocols.count, index + 1 + Int(protocols[index]))
            texts.append(protocols[(index + 1)..<end].map(Self.text).joined())
            index = end
        }
        return texts
    }

    private static func text(_ byte: UInt8) -> String {
        let isPlain = (0x21...0x7E).contains(byte)
        if isPlain, byte != UInt8(ascii: "\\"), byte != UInt8(ascii: ",") {
            return String(Unicode.Scalar(byte))
        }
        let digits = String(byte, radix: 16, uppercase: true)
        return "\\x" + (digits.count < 2 ? "0" : "") + digits
    }
}

/// The objects of ended sessions, for later ones; so a steady stream of sessions allocates none.
struct InspectedClientPool: ~Copyable {
    /// The most objects that a worker keeps, of about half a kilobyte each.
    private static let limit = 512

    private var unused: [InspectedClient] = []

    init() { unused.reserveCapacity(Self.limit) }

    /// Returns an object without names.
    mutating func take() -> InspectedClient {
        unused.popLast() ?? InspectedClient()
    }

    /// Takes an object back.
    mutating func give(_ client: InspectedClient) {
        guard unused.count < Self.limit else { return }
        client.removeAll()
        unused.append(client)
    }
}
