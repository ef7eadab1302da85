internal import SystemPackage
internal import TestSupport

/// A listener whose address may change in a restart or reload.
struct AddressCase {
    enum Change {
        case stays
        case removed
        case added
    }

    let name: String
    let change: Change
    private let before: String?
    private let after: String?
    private let keysBefore: String
    private let keysAfter: String
    /// The address for clients, both before and after unless the listener is removed or added.
    let client: String

    init(
        _ name: String,
        from before: String?,
        _ keysBefore: String = "",
        to after: String?,
        _ keysAfter: String = "",
        client: String
    ) {
        self.name = name
        self.before = before
        self.after = after
        self.keysBefore = keysBefore
        self.keysAfter = keysAfter
        self.client = client
        change = before == nil ? .added : after == nil ? .removed : .stays
    }

    /// Returns its member of `listeners`, or `nil` if it does not exist.
    func text(isAfter: Bool) -> String? {
        let keys = isAfter ? keysAfter : keysBefore
        return (isAfter ? after : before).map { serving("echo", as: name, listen: $0, keys) }
    }

    /// Makes an IP listener on its own port.
    private static func ip(
        _ name: String,
        _ before: String?,
        _ keysBefore: String = "",
        to after: String?,
        _ keysAfter: String = "",
        client host: String
    ) throws -> AddressCase {
        let port = try reservedPort()
        return AddressCase(
            name,
            from: before.map { "\($0):\(port)" },
            keysBefore,
            to: after.map { "\($0):\(port)" },
            keysAfter,
            client: "\(host):\(port)"
        )
    }

    /// Makes listeners of all forms of IP addresses: unchanged, narrowed, widened, removed and
    /// added.
    ///
    /// - Returns: One listener for each combination.
    /// - Throws: If the machine has no free port.
    static func allOfIP() throws -> [AddressCase] {
        let only = #", "socket": {"onlyV6": true}"#
        let v4 = "127.0.0.1"
        let v6 = "[::1]"
        let mapped = "[::ffff:127.0.0.1]"
        return [
            try ip("v4", v4, to: v4, client: v4),
            try ip("v4-any", "0.0.0.0", to: "0.0.0.0", client: v4),
            try ip("v4-wider", v4, to: "0.0.0.0", client: v4),
            try ip("v4-narrower", "0.0.0.0", to: v4, client: v4),
            try ip("v4-gone", v4, to: nil, client: v4),
            try ip("v4-new", nil, to: v4, client: v4),
            try ip("v6", v6, to: v6, client: v6),
            try ip("v6-wider", v6, to: "[::]", client: v6),
            try ip("v6-narrower", "[::]", to: v6, client: v6),
            try ip("v6-only", "[::]", only, to: "[::]", only, client: v6),
            try ip("v6-only-wider", v6, to: "[::]", only, client: v6),
            try ip("v6-only-narrower", "[::]", only, to: v6, client: v6),
            try ip("v6-gone", "[::]", to: nil, client: v6),
            try ip("v6-new", nil, to: "[::]", client: v6),
            try ip("v4-to-dual", "0.0.0.0", to: "[::]", client: v4),
            try ip("dual-to-v4", "[::]", to: "0.0.0.0", client: v4),
            try ip("mapped", mapped, to: mapped, client: v4),
            try ip("mapped-wider", mapped, to: "[::]", client: v4),
            try ip("mapped-to-v4", mapped, to: "0.0.0.0", client: v4),
            try ip("mapped-gone", mapped, to: nil, client: v4),
        ]
    }

    /// Makes listeners on both kinds of Unix-domain sockets: unchanged, removed and added.
    ///
    /// - Returns: One listener for each combination.
    /// - Throws: If the machine has no free port, of which the names are made.
    static func allOfUnix() throws -> [AddressCase] {
        var cases: [AddressCase] = []
        let tag = try reservedPort()
        for (form, place) in [("path", "unix:DIR/"), ("abstract", "unix:@verypoll-\(tag)-")] {
            func one(_ name: String, _ isBefore: Bool, _ isAfter: Bool) -> AddressCase {
                let address = "\(place)\(name)"
                return AddressCase(
                    "\(form)-\(name)",
                    from: isBefore ? address : nil,
                    to: isAfter ? address : nil,
                    client: address
                )
            }
            cases += [one("same", true, true), one("gone", true, false), one("new", false, true)]
        }
        return cases
    }
}
