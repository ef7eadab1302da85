/// Builds the handshake message of a ClientHello from its parts; RFC 8446, 4.1.2.
package struct ClientHelloBytes: Sendable {
    /// Further names in the list of the extension, before which is ``serverName``.
    package var serverName: [UInt8]?
    package var protocols: [String] = []
    package var versions: [UInt16] = [0x0304, 0x0303]
    /// Extensions that precede those for the other properties.
    package var first: [UInt8] = []
    /// Extensions that follow them.
    package var last: [UInt8] = []

    /// Makes a ClientHello.
    package init(_ serverName: String? = nil, protocols: [String] = []) {
        self.serverName = serverName.map { Array($0.utf8) }
        self.protocols = protocols
    }

    /// The message, without records.
    package var message: [UInt8] {
        var extensions = first
        if let serverName { extensions += helloExtension(0, list(hostName(serverName))) }
        if !protocols.isEmpty {
            let names = protocols.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
            extensions += helloExtension(16, list(names))
        }
        if !versions.isEmpty {
            let numbers = versions.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
            extensions += helloExtension(43, [UInt8(numbers.count)] + numbers)
        }
        extensions += last
        return Self.message(body: Self.prefix + list(extensions))
    }

    /// The message in one record.
    package var record: [UInt8] { records(of: message, [message.count]) }

    /// Everything before the extensions.
    package static let prefix: [UInt8] =
        [3, 3] + [UInt8](repeating: 7, count: 32) + [32] + [UInt8](repeating: 9, count: 32)
        + [0, 4, 0x13, 1, 0x0A, 0x0A] + [1, 0]

    /// Puts a type and a length before the body of a message.
    package static func message(type: UInt8 = 1, body: [UInt8]) -> [UInt8] {
        let count = body.count
        return [type, UInt8(count >> 16), UInt8(count >> 8 & 0xFF), UInt8(count & 0xFF)] + body
    }
}

/// Puts a length of 16 bits before bytes.
package func list(_ bytes: [UInt8]) -> [UInt8] {
    [UInt8(bytes.count >> 8), UInt8(bytes.count & 0xFF)] + bytes
}

/// Returns an entry of the list of server names.
package func hostName(_ name: [UInt8], type: UInt8 = 0) -> [UInt8] { [type] + list(name) }

/// Returns an extension of a ClientHello.
package func helloExtension(_ type: UInt16, _ value: [UInt8]) -> [UInt8] {
    [UInt8(type >> 8), UInt8(type & 0xFF)] + list(value)
}

/// Puts a message into records whose fragments have these lengths; the last length is used for all
/// the rest.
package func records(of message: [UInt8], _ lengths: [Int]) -> [UInt8] {
    var bytes: [UInt8] = []
    var start = 0
    var index = 0
    while start < message.count {
        let end = min(message.count, start + lengths[min(index, lengths.count - 1)])
        bytes += [22, 3, 1] + list(Array(message[start..<end]))
        start = end
        index += 1
    }
    return bytes
}
