internal import Console
internal import Verypoll

/// Splits `HOST:PORT`.
enum HostAndPort {
    /// The role of an address, which decides the remedy in errors.
    enum Role {
        case listener
        case server
    }

    /// Splits at the last colon.
    ///
    /// - Parameters:
    ///   - text: The address.
    ///   - role: The role of the address.
    /// - Returns: The text before the colon, including brackets, and the port.
    /// - Throws: `InvalidValue` if the port is missing or an IPv6 address has no brackets. The
    ///   error suggests a valid address.
    static func split(
        _ text: String,
        of role: Role
    ) throws(InvalidValue) -> (host: String, port: UInt16) {
        try checkKind(text)
        if !text.hasPrefix("["), text.filter({ $0 == ":" }).count > 1 { throw withColons(text) }
        if text.hasPrefix("["), let end = text.lastIndex(of: "]") {
            let rest = text[text.index(after: end)...]
            if !rest.isEmpty, !rest.hasPrefix(":") {
                let port = port(rest) ?? 80
                let address = text[...end] + ":\(port)"
                throw InvalidValue(
                    "\(text.quoted) has no colon before the port; write \(String(address).quoted)"
                )
            }
        }
        guard let colon = text.lastIndex(of: ":"), !text.hasSuffix("]") else {
            throw withoutPort(text, role)
        }
        let digits = text[text.index(after: colon)...]
        guard let port = port(digits) else {
            throw InvalidValue(
                "\(String(digits).quoted) is not a valid port; write a number up to 65535"
            )
        }
        return (String(text[..<colon]), port)
    }

    private static func port(_ digits: some StringProtocol) -> UInt16? {
        guard !digits.isEmpty, digits.allSatisfy({ $0.isASCII && $0.isNumber }),
            digits == "0" || !digits.hasPrefix("0")
        else { return nil }
        return UInt16(digits)
    }

    /// Refuses paths, abstract names and URLs.
    private static func checkKind(_ text: String) throws(InvalidValue) {
        if text.hasPrefix("/") || text.hasPrefix("@") {
            throw InvalidValue(
                "\(text.quoted) is not a valid address; write \("unix:\(text)".quoted) for a"
                    + " Unix-domain socket"
            )
        }
        if let separator = text.firstRange(of: "://") { throw url(text, endingAt: separator) }
    }

    /// Returns the error for a URL, whose scheme ends at a separator.
    private static func url(_ text: String, endingAt separator: Range<String.Index>) -> InvalidValue
    {
        let scheme = text[..<separator.lowerBound].lowercased()
        let rest = text[separator.upperBound...]
        let prefix = String(text[..<separator.upperBound])
        let begin = "\(text.quoted) is a URL, not an address; drop \(prefix.quoted) and write"
        if scheme == "unix" || scheme.hasSuffix("+unix") {
            let path = "unix:/" + rest.drop { $0 == "/" }
            return InvalidValue("\(begin) \(path.quoted)")
        }
        let isTLS = ["https", "wss", "tls", "ssl"].contains(scheme)
        let authority = rest.prefix { !"/?#".contains($0) }
        let host = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] }
        let place = String(host ?? authority)
        let hasPort = place.last != "]" && place.contains(":")
        let address = hasPort ? place : "\(place):\(isTLS ? 443 : 80)"
        let note = isTLS ? " (TLS is not terminated; the encrypted bytes are forwarded)" : ""
        return InvalidValue("\(begin) \(address.quoted)\(note)")
    }

    /// Returns the error for a text with several colons and no brackets.
    private static func withColons(_ text: String) -> InvalidValue {
        let last = text.lastIndex(of: ":") ?? text.startIndex
        let parts = "[\(text[..<last])]:\(text[text.index(after: last)...])"
        for address in [parts, "[\(text)]:80"] where SocketAddress(address) != nil {
            return InvalidValue(
                "\(text.quoted) is not a valid address with a port; write the IPv6 address in"
                    + " brackets, as in \(address.quoted)"
            )
        }
        return InvalidValue(
            "\(text.quoted) has more than one colon; write an address and a port, as in"
                + " \"127.0.0.1:80\" or \"[::1]:80\""
        )
    }

    private static func withoutPort(_ text: String, _ role: Role) -> InvalidValue {
        if let port = port(text) {
            return InvalidValue(
                role == .listener
                    ? "\(text.quoted) is a port without an address; write \"[::]:\(port)\" for all"
                        + " addresses of the machine, or \"0.0.0.0:\(port)\" for IPv4 only"
                    : "\(text.quoted) is a port without a host; write \"127.0.0.1:\(port)\" for a"
                        + " server on this machine"
            )
        }
        if text.isEmpty || text == "*" {
            return InvalidValue(
                role == .listener
                    ? "\(text.quoted) has no address and no port; write \"[::]:80\" for all"
                        + " addresses of the machine, or \"0.0.0.0:80\" for IPv4 only"
                    : "\(text.quoted) has no host and no port; write \"127.0.0.1:80\" for a server"
                        + " on this machine"
            )
        }
        if role == .listener, SocketAddress("\(text):80") == nil {
            return InvalidValue(
                "\(text.quoted) is not an IP address and has no port; write an address such as"
                    + " \"127.0.0.1:80\", or \("systemd:\(text)".quoted) for a socket from systemd"
            )
        }
        return InvalidValue("\(text.quoted) has no port; write \"\(text.shortened):80\"")
    }
}
