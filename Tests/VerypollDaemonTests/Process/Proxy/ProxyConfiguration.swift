/// Returns a member of `listeners` whose sessions are proxied.
///
/// - Parameters:
///   - upstream: The upstream's name.
///   - name: The listener's name.
///   - address: The address to listen on.
///   - keys: Further members, each preceded by a comma.
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

/// Returns a member of `upstreams`.
///
/// - Parameters:
///   - servers: The servers' addresses.
///   - keys: Further members, each preceded by a comma.
///   - name: The upstream's name.
/// - Returns: The member's text.
func upstream(_ servers: [String], _ keys: String = "", as name: String = "app") -> String {
    let list = servers.map { "\"\($0)\"" }.joined(separator: ", ")
    return #""\#(name)": {"servers": [\#(list)]\#(keys)}"#
}

/// Returns the member `upstreams` of a configuration, followed by a comma.
func upstreams(_ members: String...) -> String {
    "\"upstreams\": {\(members.joined(separator: ",\n"))},"
}
