internal import Verypoll

/// A header of the PROXY protocol, in which a proxy describes a connection before the connection's
/// own bytes.
///
/// See proxy-protocol.txt of HAProxy, which describes both versions: version 1 is a line of text,
/// version 2 is binary. Of the extensions after the addresses of version 2, the checksum is
/// verified. The others are skipped and not kept. For a TLS client, its name and its first protocol
/// are written as extensions.
package struct ProxyHeader: Equatable, Sendable {
    /// The origin of the connection.
    var origin: Origin

    /// Makes a header.
    init(_ origin: Origin) {
        self.origin = origin
    }

    /// The origin of a connection.
    enum Origin: Equatable, Sendable {
        /// A connection of the sender itself, or of an unknown kind; the connection's real
        /// addresses apply.
        case local
        /// A TCP connection; the addresses have no zones.
        case tcp(source: SocketAddress, destination: SocketAddress)
        /// A Unix-domain connection; an abstract name loses its trailing zeros, which may be
        /// padding.
        case unix(source: UnixAddress, destination: UnixAddress)
    }
}

extension ProxyHeader {
    /// The length of the longest version 1 header, including its line end.
    static let longestLine = 107

    /// The length of the longest version 2 header that is written.
    static let longestBinary = prefixLength + 2 * unixLength + 2 * (3 + 255)

    /// The length of the longest header that is read, the longest possible one.
    static let longestRead = prefixLength + 65_535

    /// The first bytes of a version 2 header.
    static let signature = "\r\n\r\n\0\r\nQUIT\n"

    /// The signature, the command, the family and the length of the rest.
    static let prefixLength = 16

    /// The length of a Unix-domain address in version 2, that of `sun_path`.
    static let unixLength = 108
}
