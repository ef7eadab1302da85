internal import Console
internal import SystemPackage
internal import Verypoll

extension UnixAddress {
    /// The maximum size of the path or name of a socket, in bytes; see unix(7).
    private static let maximumByteCount = 107

    /// Parses `unix:/PATH` or `unix:@NAME`, or returns `nil` if the text does not begin with
    /// `unix:`.
    package init?(configured text: String) throws(InvalidValue) {
        guard let rest = text.dropPrefix("unix:") else { return nil }
        // The URL of a path has three slashes; after two, a URL has the name of a host.
        if rest.hasPrefix("//"), !rest.hasPrefix("///") {
            throw InvalidValue(
                "\(text.quoted) is a URL with a host, not an address; write"
                    + " \("unix:\(rest.dropFirst())".quoted)"
            )
        }
        if let name = rest.dropPrefix("@") {
            guard (1...Self.maximumByteCount).contains(name.utf8.count) else {
                throw InvalidValue(
                    "the abstract name has \(name.utf8.count) bytes; write 1 to"
                        + " \(Self.maximumByteCount)"
                )
            }
            self = .abstract(Array(name.utf8))
        } else {
            self = .path(try Self.socketPath(rest))
        }
    }

    /// Checks that a text is an absolute path to which a socket can be bound.
    static func socketPath(_ text: String) throws(InvalidValue) -> FilePath {
        guard text.hasPrefix("/") else {
            throw InvalidValue("\(text.quoted) is not an absolute path; begin it with \"/\"")
        }
        guard !text.utf8.contains(0), !text.hasSuffix("/") else {
            throw InvalidValue("\(text.quoted) is not a valid path of a socket; name a file")
        }
        guard text.utf8.count <= maximumByteCount else {
            throw InvalidValue(
                "the path has \(text.utf8.count) bytes, but the path of a socket can have at most"
                    + " \(maximumByteCount); use a shorter one"
            )
        }
        return FilePath(text)
    }
}

extension String {
    /// Returns the text after a prefix, or `nil` if the text does not have the prefix.
    func dropPrefix(_ prefix: String) -> String? {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
    }
}
