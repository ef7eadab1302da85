package import StrictJSON

/// A listener: where connections are accepted, and what becomes of them.
package struct ListenerConfiguration: Equatable, Sendable {
    /// Its name, which no other listener has.
    package var name: String

    /// Where its name stands in the file.
    package var position: Uncompared<SourcePosition?>

    /// Where it accepts connections; never empty.
    package var addresses: [ListenAddress]

    /// What serves the sessions.
    package var handler: Handler

    /// The most sessions it has at a time, or `nil` for no limit but the daemon's.
    package var maxSessions: Int?

    /// What becomes of connections beyond the limit.
    package var whenFull: WhenFull

    /// The most sessions of one IPv4 address or IPv6 /64 at a time, or `nil` for no limit.
    package var maxSessionsPerSource: Int?

    /// How fast connections are accepted, or `nil` for no limit.
    package var acceptRate: AcceptRate?

    /// The only sources that may connect, or `nil` if all may.
    package var allow: [AddressPrefix]?

    /// The sources that may not connect, even if they are among ``allow``.
    package var deny: [AddressPrefix]

    /// Whose PROXY protocol headers are read, or `nil` if none are.
    package var proxyProtocol: ProxyProtocolSource?

    /// When sessions end by themselves.
    package var timeouts: Timeouts

    /// The options of its sockets.
    package var socket: SocketOptions

    /// What becomes of connections while a listener has as many sessions as it may.
    package enum WhenFull: String, CaseIterable, Sendable {
        /// They wait in the kernel's backlog.
        case pause
        /// They are accepted and reset.
        case reject
    }

    /// How fast a listener accepts connections.
    package struct AcceptRate: Equatable, Sendable {
        /// The connections of a second, in the long run.
        package var perSecond: Int
        /// The connections that may come at once after a pause.
        package var burst: Int
    }

    /// Whose PROXY protocol headers a listener reads.
    package struct ProxyProtocolSource: Equatable, Sendable {
        /// The sources that send the header, and must; others must not.
        package var from: [AddressPrefix]
        /// The time in which the header has to come.
        package var timeout: Duration
    }
}

// MARK: - Reading

extension ListenerConfiguration {
    package static let keys = KeyTable([
        Key(required: "listen", .list(of: .text, isEmptyAllowed: false)),
        Key(required: "handler", .object(Handler.keys)),
        Key("maxSessions", .integer(1...Configuration.Limits.largest)),
        Key("whenFull", .choice(of: WhenFull.self), default: "pause"),
        Key("maxSessionsPerSource", .integer(1...Configuration.Limits.largest)),
        Key("acceptRate", .object(AcceptRate.keys)),
        Key("allow", .list(of: .text, isEmptyAllowed: false)),
        Key("deny", .list(of: .text, isEmptyAllowed: true)),
        Key("proxyProtocol", .object(ProxyProtocolSource.keys)),
        Key("timeouts", .object(Timeouts.keys)),
        Key("socket", .object(SocketOptions.keys)),
    ])

    package init(_ listener: ObjectReader.NamedObject, claims: inout AddressClaims) {
        let object = listener.object
        name = listener.name
        position = Uncompared(listener.position)
        socket = SocketOptions(object.object("socket"))
        let listens = object.texts("listen", as: ListenAddress.init) ?? []
        addresses = listens.map(\.value)
        handler = Handler(object.object("handler"))
        maxSessions = object.optionalInteger("maxSessions")
        whenFull = object.word("whenFull")
        maxSessionsPerSource = object.optionalInteger("maxSessionsPerSource")
        acceptRate = object.optionalObject("acceptRate").map(AcceptRate.init)
        allow = object.texts("allow", as: AddressPrefix.init)?.map(\.value)
        deny = object.texts("deny", as: AddressPrefix.init)?.map(\.value) ?? []
        proxyProtocol = object.optionalObject("proxyProtocol").map(ProxyProtocolSource.init)
        timeouts = Timeouts(object.object("timeouts"))
        for listen in listens {
            claims.claim(listen.value, onlyV6: socket.onlyV6, for: listen.pointer)
        }
    }
}

extension ListenerConfiguration.AcceptRate {
    package static let keys = KeyTable([
        Key(required: "perSecond", .integer(1...1_000_000)),
        Key("burst", .integer(1...1_000_000)),
    ])

    /// Reads the rate; the burst is as large as the rate of a second if the file has none.
    package init(_ object: ObjectReader) {
        perSecond = object.optionalInteger("perSecond") ?? 1
        burst = object.optionalInteger("burst") ?? perSecond
    }
}

extension ListenerConfiguration.ProxyProtocolSource {
    package static let keys = KeyTable([
        Key(required: "from", .list(of: .text, isEmptyAllowed: false)),
        Key("timeout", .span(.milliseconds(1) ... .longest), default: "3s"),
    ])

    init(_ object: ObjectReader) {
        from = object.texts("from", as: AddressPrefix.init)?.map(\.value) ?? []
        timeout = object.span("timeout")
    }
}
