internal import Console
package import Verypoll

/// The address of a server of an upstream.
package enum UpstreamAddress: Hashable, Sendable {
    /// A TCP socket.
    case ip(SocketAddress)
    /// A TCP socket of a host whose name is resolved.
    case host(name: String, port: UInt16)
    /// A Unix-domain stream socket.
    case unix(UnixAddress)
    /// A vsock stream socket.
    case vsock(VsockAddress)

    /// Parses `IP:PORT`, `[IPv6]:PORT`, `HOST:PORT`, `unix:/PATH`, `unix:@NAME` or
    /// `vsock:CID:PORT`.
    package init(_ text: String) throws(InvalidValue) {
        if text.hasPrefix("systemd:") {
            throw InvalidValue("\(text.quoted) is an address for listeners only; use another")
        }
        if let socket = try UnixAddress(configured: text) {
            self = .unix(socket)
            return
        }
        if let socket = try VsockAddress(configured: text, of: .server) {
            self = .vsock(socket)
            return
        }
        let (host, port) = try HostAndPort.split(text, of: .server)
        if host.isEmpty || host == "*" {
            throw InvalidValue(
                "\(text.quoted) has no host; write \"127.0.0.1:\(port)\" for a server on this"
                    + " machine"
            )
        }
        guard port != 0 else {
            throw InvalidValue("\(text.quoted) has port 0; write the port of the server")
        }
        if let address = SocketAddress(text) {
            self = .ip(address)
        } else {
            self = .host(name: try Self.checkHost(host), port: port)
        }
    }

    /// Checks a host name as in RFC 1123.
    ///
    /// Underscores are allowed too, because they occur in practice.
    private static func checkHost(_ name: String) throws(InvalidValue) -> String {
        let labels = (name.hasSuffix(".") ? name.dropLast() : name[...])
            .split(separator: ".", omittingEmptySubsequences: false)
        let isValid =
            name.utf8.count <= 253
            && labels.allSatisfy { label in
                (1...63).contains(label.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
                    && label.allSatisfy {
                        $0.isASCII && ($0.isLetter || $0.isNumber || "-_".contains($0))
                    }
            }
        let isNumeric = labels.last?.allSatisfy(\.isNumber) ?? true
        guard isValid, !isNumeric else {
            throw InvalidValue(
                "\(name.quoted) is neither an IP address nor a host name; write one such as"
                    + " \"10.0.0.1\", \"[::1]\" or \"app.example\""
            )
        }
        return name
    }
}

extension UpstreamAddress: CustomStringConvertible {
    /// The address in the form of the configuration.
    package var description: String {
        switch self {
        case .ip(let address): address.description
        case .host(let name, let port): "\(name):\(port)"
        case .unix(let address): "unix:\(address)"
        case .vsock(let address): "vsock:\(address)"
        }
    }
}
