internal import Verypoll

/// What a proxy tells of a connection before the connection's own bytes: the PROXY protocol.
///
/// See proxy-protocol.txt of HAProxy, which describes both versions: one is a line of text, two is
/// binary. Of what may follow the addresses in version two, the checksum is verified; the rest is
/// skipped, and this type does not keep it.
package struct ProxyHeader: Equatable, Sendable {
    /// Whose connection it is.
    var origin: Origin

    /// Makes a header.
    init(_ origin: Origin) {
        self.origin = origin
    }

    /// Whose connection it is.
    enum Origin: Equatable, Sendable {
        /// The sender's own, or one of an unknown kind: its real addresses count.
        case local
        /// A TCP connection; an address has no zone here.
        case tcp(source: SocketAddress, destination: SocketAddress)
        /// A Unix-domain one; an abstract name loses the zeros at its end, as they are padding.
        case unix(source: UnixAddress, destination: UnixAddress)
    }
}

extension ProxyHeader {
    /// The length of the longest header of version one, with its end of line.
    static let longestLine = 107

    /// The length of the longest header of version two that is written.
    static let longestBinary = prefixLength + 2 * unixLength

    /// The length of the longest header that is read, which is the longest that there can be.
    static let longestRead = prefixLength + 65_535

    /// How a header of version two begins.
    static let signature = "\r\n\r\n\0\r\nQUIT\n"

    /// The signature, the command, the family and the length of the rest.
    static let prefixLength = 16

    /// The length of a Unix-domain address in version two, that of `sun_path`.
    static let unixLength = 108
}
