internal import Verypoll
internal import VerypollConfiguration

/// The name servers that this machine is configured to ask; see resolv.conf(5).
enum NameServers {
    /// The most servers; those after it are ignored, as glibc does.
    static let limit = 3

    private static let port: UInt16 = 53
    private static let file = "/etc/resolv.conf"
    /// The most bytes of the file.
    private static let sizeLimit = 1 << 16

    /// Reads the file; without a server in it, returns the server on this machine.
    static func configured() -> [SocketAddress] {
        let bytes = (try? FileContents.read(file, upTo: sizeLimit)) ?? []
        return servers(in: String(decoding: bytes, as: UTF8.self), interfaceIndex: interfaceIndex)
    }

    /// Parses the lines of `nameserver`; invalid ones are ignored, as glibc does.
    ///
    /// - Parameters:
    ///   - text: The file.
    ///   - interfaceIndex: Returns the index of the network interface with a name.
    /// - Returns: The first ``limit`` servers, or the default.
    static func servers(
        in text: String,
        interfaceIndex: (Substring) -> UInt32?
    ) -> [SocketAddress] {
        let found = text.split(whereSeparator: \.isNewline).compactMap { line -> SocketAddress? in
            let words = line.split(whereSeparator: \.isWhitespace)
            guard words.count >= 2, words[0] == "nameserver", line.hasPrefix(words[0]) else {
                return nil
            }
            let parts = words[1].split(separator: "%", maxSplits: 1)
            guard let ip = parts.first.flatMap({ IPAddress(String($0)) }) else { return nil }
            guard parts.count == 2 else { return SocketAddress(ip, port: port) }
            guard let zone = UInt32(parts[1]) ?? interfaceIndex(parts[1]) else { return nil }
            return SocketAddress(ip, port: port, zone: zone)
        }
        if found.isEmpty { return [SocketAddress(.loopback(.v4), port: port)] }
        return Array(found.prefix(limit))
    }

    private static func interfaceIndex(_ name: Substring) -> UInt32? {
        guard !name.contains("/"), name != ".", name != ".." else { return nil }
        let bytes = try? FileContents.read("/sys/class/net/\(name)/ifindex", upTo: 64)
        let text = bytes.map { String(decoding: $0, as: UTF8.self) }
        return text.flatMap { UInt32($0.prefix { !$0.isNewline }) }
    }
}
