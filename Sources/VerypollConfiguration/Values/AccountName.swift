internal import Console

/// The names of users and groups.
enum AccountName {
    /// Checks the form of a user's name.
    static func checkUser(_ name: String) throws(InvalidValue) -> String {
        try check(name, "user", file: "/etc/passwd")
    }

    /// Checks the form of a group's name.
    static func checkGroup(_ name: String) throws(InvalidValue) -> String {
        try check(name, "group", file: "/etc/group")
    }

    private static func check(
        _ name: String,
        _ kind: String,
        file: String
    ) throws(InvalidValue) -> String {
        if name.isEmpty || name.contains(where: \.isWhitespace) || name.contains(":") {
            throw InvalidValue(
                "\(name.quoted) is not a valid \(kind) name; use a name from \(file)"
            )
        }
        return name
    }
}
