internal import Console
internal import SystemPackage
package import Verypoll

/// An address on which a listener accepts connections.
package enum ListenAddress: Hashable, Sendable {
    /// A TCP socket. For port 0, the kernel chooses a port.
    case ip(SocketAddress)
    /// A Unix-domain stream socket.
    case unix(UnixAddress)
    /// A vsock stream socket. For ``VsockAddress/anyPort``, the kernel chooses a port.
    case vsock(VsockAddress)
    /// All sockets that systemd passes with this name; see `FileDescriptorName=` in
    /// systemd.socket(5).
    case systemd(String)

    /// Parses `IP:PORT`, `[IPv6]:PORT`, `unix:/PATH`, `unix:@NAME`, `vsock:CID:PORT`,
    /// `vsock:*:PORT` or `systemd:NAME`.
    package init(_ text: String) throws(InvalidValue) {
        if let name = text.dropPrefix("systemd:") {
            self = .systemd(try Self.checkName(name))
        } else if let socket = try UnixAddress(configured: text) {
            self = .unix(socket)
        } else if let socket = try VsockAddress(configured: text, of: .listener) {
            self = .vsock(socket)
        } else {
            self = .ip(try Self.parseIP(text))
        }
    }

    /// The name that systemd must pass a control socket under, according to the Varlink
    /// specification.
    package static let controlName = "varlink"

    /// The name that systemd must pass a socket for systemd-report under.
    package static let metricsName = "varlink-metrics"

    /// Checks that a name is a valid and available `FileDescriptorName=`.
    private static func checkName(_ name: String) throws(InvalidValue) -> String {
        let allowed = UInt8(ascii: " ")...UInt8(ascii: "~")
        guard (1...255).contains(name.utf8.count), !name.contains(":"),
            name.utf8.allSatisfy(allowed.contains)
        else {
            throw InvalidValue(
                "\(name.quoted) is not a valid FileDescriptorName=; use 1 to 255 printable ASCII"
                    + " characters without a colon"
            )
        }
        if name == controlName || name == metricsName {
            let purpose = name == controlName ? "control socket" : "metrics socket"
            throw InvalidValue(
                "\(name.quoted) is reserved for the \(purpose); use another name"
            )
        }
        return name
    }

    private static func parseIP(_ text: String) throws(InvalidValue) -> SocketAddress {
        let (host, port) = try HostAndPort.split(text, of: .listener)
        if host.isEmpty || host == "*" {
            throw InvalidValue(
                "\(text.quoted) has no address; write \"[::]:\(port)\" for all addresses of the"
                    + " machine, or \"0.0.0.0:\(port)\" for IPv4 only"
            )
        }
        guard let address = SocketAddress(text) else {
            throw InvalidValue(
                "\(host.quoted) is not an IP address; a listener needs one, such as"
                    + " \"127.0.0.1:\(port)\" or \"[::1]:\(port)\""
            )
        }
        if address.ip.isMulticast {
            throw InvalidValue(
                "\(address.ip) is a multicast address, on which TCP cannot listen; use another"
            )
        }
        return address
    }
}

extension ListenAddress: CustomStringConvertible {
    /// The address in the form of the configuration.
    package var description: String {
        switch self {
        case .ip(let address): address.description
        case .unix(let address): "unix:\(address)"
        case .vsock(let address): "vsock:\(address)"
        case .systemd(let name): "systemd:\(name)"
        }
    }
}
