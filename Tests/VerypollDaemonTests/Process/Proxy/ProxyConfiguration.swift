/// A member of `listeners` whose sessions are proxied.
///
/// - Parameters:
///   - upstream: The upstream's name.
///   - name: What it is called.
///   - address: Where it listens.
///   - keys: Further members, each with a comma before it.
/// - Returns: The member's text.
func proxying(
    to upstream: String = "app",
    as name: String = "front",
    listen address: String = "127.0.0.1:0",
    _ keys: String = ""
) -> String {
    """
    "\(name)": {"listen": ["\(address)"],
    "handler": {"type": "proxy", "upstream": "\(upstream)"}\(keys)}
    """
}

/// A member of `upstreams`.
///
/// - Parameters:
///   - servers: The addresses.
///   - keys: Further members, each with a comma before it.
///   - name: What it is called.
/// - Returns: The member's text.
func upstream(_ servers: [String], _ keys: String = "", as name: String = "app") -> String {
    let list = servers.map { "\"\($0)\"" }.joined(separator: ", ")
    return #""\#(name)": {"servers": [\#(list)]\#(keys)}"#
}

/// The member `upstreams` of a configuration, with a comma behind it.
func upstreams(_ members: String...) -> String {
    "\"upstreams\": {\(members.joined(separator: ",\n"))},"
}
