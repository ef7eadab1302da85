internal import StrictJSON
package import SystemPackage
package import Verypoll

/// The options of a listener's sockets, and of the connections they accept.
package struct SocketOptions: Equatable, Sendable {
    /// The most connections that wait to be accepted; see listen(2).
    package var backlog: Int

    /// Whether bytes are sent at once instead of being collected; `TCP_NODELAY` in tcp(7).
    package var noDelay: Bool

    /// The idle time after which the kernel probes the peer, or `nil` for never; `TCP_KEEPIDLE` in
    /// tcp(7), in whole seconds.
    package var keepAlive: Duration?

    /// Whether each worker has its own socket; `SO_REUSEPORT` in socket(7).
    package var reusePort: Bool

    /// Whether an address that the machine does not have yet may be bound; `IP_FREEBIND` in ip(7).
    package var freeBind: Bool

    /// The longest time that the kernel waits for a connection's first byte before the connection
    /// is accepted, or `nil` to accept it at once; `TCP_DEFER_ACCEPT` in tcp(7), in whole seconds.
    package var deferAccept: Duration?

    /// Whether [::] accepts only IPv6; `IPV6_V6ONLY` in ipv6(7).
    package var onlyV6: Bool

    /// The permissions of the file of a Unix-domain address; a client needs write permission to
    /// connect.
    package var mode: FilePermissions

    /// The owner of the file, or `nil` for the daemon's own user.
    package var owner: String?

    /// The group of the file, or `nil` for the daemon's own.
    package var group: String?
}

extension SocketOptions {
    /// Returns whether a socket that is bound to an address must reject IPv4.
    ///
    /// The setting affects only `[::]`, because no other address accepts both protocols.
    package func isOnlyV6(at address: IPAddress) -> Bool {
        onlyV6 && address.family == .v6 && address.isUnspecified
    }
}

// MARK: - Reading

extension SocketOptions {
    /// The kernel's range for keep-alive times.
    private static let seconds = ValueForm.spanOrOff(.seconds(1) ... .seconds(32767))

    package static let keys = KeyTable([
        Key("backlog", .integer(1...65535), default: 4096),
        Key("noDelay", .boolean, default: true),
        Key("keepAlive", seconds, default: "2min"),
        Key("reusePort", .boolean, default: false),
        Key("freeBind", .boolean, default: false),
        Key("deferAccept", seconds, default: "off"),
        Key("onlyV6", .boolean, default: false),
        Key("mode", .text, default: "0660"),
        Key("owner", .text),
        Key("group", .text),
    ])

    package init(_ object: ObjectReader) {
        backlog = object.integer("backlog")
        noDelay = object.boolean("noDelay")
        keepAlive = object.optionalSpan("keepAlive")
        reusePort = object.boolean("reusePort")
        freeBind = object.boolean("freeBind")
        deferAccept = object.optionalSpan("deferAccept")
        onlyV6 = object.boolean("onlyV6")
        mode = object.text("mode", as: FilePermissions.init(octal:)) ?? []
        owner = object.text("owner", as: AccountName.checkUser)
        group = object.text("group", as: AccountName.checkGroup)
    }
}
