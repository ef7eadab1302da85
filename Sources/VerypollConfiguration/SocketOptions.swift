internal import StrictJSON
package import SystemPackage
package import Verypoll

/// The options of a listener's sockets, and of the connections they accept.
package struct SocketOptions: Equatable, Sendable {
    /// How many connections may wait to be accepted; see listen(2).
    package var backlog: Int

    /// Whether bytes are sent at once instead of being gathered; `TCP_NODELAY` in tcp(7).
    package var noDelay: Bool

    /// The silence after which the kernel asks whether the other end is there, or `nil` for never;
    /// `TCP_KEEPIDLE` in tcp(7), in whole seconds.
    package var keepAlive: Duration?

    /// Whether each worker has a socket of its own; `SO_REUSEPORT` in socket(7).
    package var reusePort: Bool

    /// Whether the address may be one the machine does not have yet; `IP_FREEBIND` in ip(7).
    package var freeBind: Bool

    /// The time a connection may wait for its first byte before it is accepted, or `nil` to accept
    /// it at once; `TCP_DEFER_ACCEPT` in tcp(7), in whole seconds.
    package var deferAccept: Duration?

    /// Whether [::] is only for IPv6; `IPV6_V6ONLY` in ipv6(7).
    package var onlyV6: Bool

    /// The permissions of the file of a Unix-domain address; who may write may connect.
    package var mode: FilePermissions

    /// The user that the file belongs to, or `nil` for the daemon's own.
    package var owner: String?

    /// The group that the file belongs to, or `nil` for the daemon's own.
    package var group: String?
}

extension SocketOptions {
    /// Whether a socket bound to an address keeps IPv4 off.
    ///
    /// The setting concerns `[::]` alone: no other address accepts both protocols.
    package func isOnlyV6(at address: IPAddress) -> Bool {
        onlyV6 && address.family == .v6 && address.isUnspecified
    }
}

// MARK: - Reading

extension SocketOptions {
    /// What the kernel takes for the time of keep-alives, in seconds.
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
