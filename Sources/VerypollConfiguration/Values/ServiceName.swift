internal import Console

/// The name of SRV records, such as `_app._tcp.example.com`.
enum ServiceName {
    /// Returns the name in lower case and without a final dot.
    ///
    /// Underscores are not required: Consul answers for `app.service.consul` too.
    static func check(_ text: String) throws(InvalidValue) -> String {
        let name = (text.hasSuffix(".") ? String(text.dropLast()) : text).lowercased()
        if let colon = name.lastIndex(of: ":") {
            let rest = String(name[..<colon])
            throw InvalidValue(
                "\(text.quoted) has a port or is an address; SRV records name the ports, so write"
                    + " the name of the records, such as \(rest.quoted)"
            )
        }
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        let isValid =
            name.utf8.count <= 253
            && labels.allSatisfy { label in
                (1...63).contains(label.utf8.count)
                    && label.allSatisfy {
                        $0.isASCII && ($0.isLetter || $0.isNumber || "-_".contains($0))
                    }
            }
        guard isValid else {
            throw InvalidValue(
                "\(text.quoted) is not a valid domain name; write one such as"
                    + " \"_app._tcp.example.com\""
            )
        }
        return name
    }
}
