/// An IP address and a port, with the zone of a link-local IPv6 address.
///
/// The text form is `127.0.0.1:80`, `[::1]:80` or `[fe80::1%2]:80`.
public struct SocketAddress: Hashable, Sendable {
    /// The IP address.
    public let ip: IPAddress

    /// The port, or 0 to let the kernel choose one.
    public let port: UInt16

    /// The index of the network interface that a link-local IPv6 address belongs to, otherwise 0.
    ///
    /// if_nametoindex(3) returns the index of a named interface.
    public let zone: UInt32

    /// Creates an address from its parts.
    public init(_ ip: IPAddress, port: UInt16, zone: UInt32 = 0) {
        self.ip = ip
        self.port = port
        self.zone = zone
    }

    /// 127.0.0.1 or ::1 with a port.
    public static func loopback(_ family: IPAddress.Family = .v4, port: UInt16) -> SocketAddress {
        SocketAddress(.loopback(family), port: port)
    }
}

extension SocketAddress: LosslessStringConvertible {
    /// Parses an address and a port.
    ///
    /// - Returns: `nil` unless `description` is `IPv4:PORT`, `[IPv6]:PORT` or `[IPv6%ZONE]:PORT`
    ///   with a numeric zone.
    public init?(_ description: String) {
        let text = description.utf8
        guard let colon = text.lastIndex(of: UInt8(ascii: ":")),
            let port = IPAddress.decimal(text[text.index(after: colon)...], upTo: 65535)
        else { return nil }
        var host = text[..<colon]
        var zone: UInt32 = 0
        let isBracketed = host.first == UInt8(ascii: "[") && host.last == UInt8(ascii: "]")
        if isBracketed {
            host = host.dropFirst().dropLast()
            if let percent = host.firstIndex(of: UInt8(ascii: "%")) {
                let digits = host[host.index(after: percent)...]
                guard let number = IPAddress.decimal(digits, upTo: .max) else { return nil }
                zone = number
                host = host[..<percent]
            }
        }
        guard let ip = IPAddress(utf8: host), (ip.family == .v6) == isBracketed else { return nil }
        self.init(ip, port: UInt16(port), zone: zone)
    }

    /// The text form that ``init(_:)`` parses.
    public var description: String {
        guard ip.family == .v6 else { return "\(ip):\(port)" }
        return zone == 0 ? "[\(ip)]:\(port)" : "[\(ip)%\(zone)]:\(port)"
    }
}
