/// Takes `HOST:PORT` apart.
enum HostAndPort {
    /// Splits at the last colon.
    ///
    /// - Returns: The text before the colon, brackets included, and the port.
    /// - Throws: `InvalidValue` if there is no port, or an IPv6 address without brackets.
    static func split(_ text: String) throws(InvalidValue) -> (host: String, port: UInt16) {
        let isBare = text.filter { $0 == ":" }.count > 1 && !text.hasPrefix("[")
        if isBare {
            throw InvalidValue(
                "\(text.quoted) is no address with a port; IPv6 addresses stand in brackets before"
                    + " it, as in \"[::1]:80\""
            )
        }
        guard let colon = text.lastIndex(of: ":"), !text.hasSuffix("]") else {
            throw InvalidValue("\(text.quoted) has no port; write \"\(text.shortened):80\"")
        }
        let digits = text[text.index(after: colon)...]
        guard !digits.isEmpty, digits.allSatisfy({ $0.isASCII && $0.isNumber }),
            digits == "0" || !digits.hasPrefix("0"), let port = UInt16(digits)
        else {
            throw InvalidValue(
                "\(String(digits).quoted) is no port; write a number of up to 65535"
            )
        }
        return (String(text[..<colon]), port)
    }
}
