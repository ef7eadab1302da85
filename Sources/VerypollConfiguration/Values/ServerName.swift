internal import Console

/// The names of servers that TLS clients ask for, in the form in which they are compared.
package enum ServerName {
    /// The longest name; RFC 1035, 2.3.4, without the final dot.
    package static let longest = 253

    private static let longestLabel = 63

    /// Brings a client's name into the form in which names are compared: lowercase ASCII, without a
    /// final dot.
    ///
    /// - Returns: Whether the name is valid: it consists of labels of letters, digits and hyphens,
    ///   and is not an IPv4 address; see RFC 6066, 3. If not, `name` has no meaning.
    package static func normalize(_ name: inout [UInt8]) -> Bool {
        if name.last == UInt8(ascii: ".") { name.removeLast() }
        guard (1...longest).contains(name.count) else { return false }
        var labelCount = 0
        var isNumeric = true
        for index in name.indices {
            switch name[index] {
            case UInt8(ascii: "."):
                guard labelCount > 0 else { return false }
                labelCount = 0
                continue
            case UInt8(ascii: "A")...UInt8(ascii: "Z"):
                name[index] |= 0x20
                isNumeric = false
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"): isNumeric = false
            case UInt8(ascii: "0")...UInt8(ascii: "9"): break
            default: return false
            }
            labelCount += 1
            guard labelCount <= longestLabel else { return false }
        }
        // No top-level domain is numeric, so a name of digits and dots is an address.
        return labelCount > 0 && !isNumeric
    }
}

/// The names that a route matches.
package struct ServerNamePattern: Hashable, Sendable {
    /// The name, or its end without the dot before; empty for clients that send no name.
    package let name: String
    /// Whether one or more labels precede the name.
    package let isWildcard: Bool

    /// Reads `shop.example.com`, `*.example.com`, or an empty text for clients without a name.
    ///
    /// - Throws: `InvalidValue` if no client's name can match.
    package init(_ text: String) throws(InvalidValue) {
        isWildcard = text.hasPrefix("*.")
        let rest = isWildcard ? String(text.dropFirst(2)) : text
        guard !text.isEmpty else {
            name = ""
            return
        }
        var bytes = Array(rest.utf8)
        guard ServerName.normalize(&bytes) else { throw Self.error(text, rest) }
        name = String(decoding: bytes, as: UTF8.self)
    }

    private static func error(_ text: String, _ rest: String) -> InvalidValue {
        if rest.contains("*") {
            return InvalidValue(
                "\(text.quoted) has an asterisk that is not its first label; write a name such as"
                    + " \"*.example.com\", or leave out serverNames for all names"
            )
        }
        if rest.utf8.contains(where: { $0 >= 0x80 }) {
            return InvalidValue(
                "\(text.quoted) is not in the form that clients send; write its ASCII form, which"
                    + " begins with \"xn--\""
            )
        }
        if rest.contains(":") || rest.utf8.allSatisfy({ "0123456789.".utf8.contains($0) }) {
            return InvalidValue(
                "\(text.quoted) is an address, and clients send no address as a name; use a name,"
                    + " or \"\" for clients that send none"
            )
        }
        return InvalidValue(
            "\(text.quoted) is not a valid server name; write labels of letters, digits and hyphens"
                + " with dots between them, such as \"shop.example.com\" or \"*.example.com\""
        )
    }
}

extension ServerNamePattern {
    /// Returns whether the pattern matches a name.
    ///
    /// - Parameter serverName: The name as ``ServerName/normalize(_:)`` leaves it; empty for a
    ///   client that sends none.
    /// - Returns: Whether the name is the pattern's, or ends like it after at least one label.
    package func matches(_ serverName: [UInt8]) -> Bool {
        guard isWildcard else { return serverName.elementsEqual(name.utf8) }
        let end = "." + name
        return serverName.count > end.utf8.count
            && serverName.suffix(end.utf8.count).elementsEqual(end.utf8)
    }
}

extension ServerNamePattern: CustomStringConvertible {
    package var description: String { isWildcard ? "*." + name : name }
}
