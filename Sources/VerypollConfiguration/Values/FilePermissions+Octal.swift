internal import Console
internal import SystemPackage

extension FilePermissions {
    /// Parses a file mode as in chmod(1): `0` and three octal digits.
    package init(octal text: String) throws(InvalidValue) {
        guard text.utf8.count == 4, text.hasPrefix("0"), let mode = CModeT(text, radix: 8) else {
            throw InvalidValue(
                "\(text.quoted) is not a valid file mode; write 0 and three octal digits, as in"
                    + " \"0660\""
            )
        }
        self.init(rawValue: mode)
    }

    /// The mode in the form that ``init(octal:)`` parses.
    var octal: String {
        let digits = String(rawValue, radix: 8)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
