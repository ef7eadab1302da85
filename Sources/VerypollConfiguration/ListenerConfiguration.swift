package import StrictJSON

/// A listener: the addresses on which it accepts connections, and how it serves them.
package struct ListenerConfiguration: Equatable, Sendable {
    /// The name, which is unique among the listeners.
    package var name: String

    /// The position of the name in the file.
    package var position: Uncompared<SourcePosition?>

    /// The addresses on which it accepts connections; never empty.
    package var addresses: [ListenAddress]

    /// The service of the sessions.
    package var handler: Handler

    /// The most sessions at the same time, or `nil` if only the daemon's limit applies.
    package var maxSessions: Int?

    /// The treatment of connections beyond the limit.
    package var whenFull: WhenFull

    /// The most sessions of one IPv4 address or IPv6 /64 network at the same time, or `nil` for no
    /// limit.
    package var maxSessionsPerSource: Int?

    /// How fast connections are accepted, or `nil` for no limit.
    package var acceptRate: AcceptRate?

    /// The only sources that may connect, or `nil` if all may.
    package var allow: AddressList?

    /// The sources that may not connect, even if ``allow`` contains them.
    package var deny: AddressList

    /// The sources that send PROXY protocol headers, or `nil` if no headers are read.
    package var proxyProtocol: ProxyProtocolSource?

    /// The times after which the daemon ends a session.
    package var timeouts: Timeouts

    /// The options of the sockets.
    package var socket: SocketOptions

    /// The settings of the log that differ from those of the daemon.
    package var log: Log

    /// The settings of the log that differ from those of the daemon.
    package struct Log: Equatable, Sendable {
        /// Whether the end of each session is logged, or `nil` for the default: the setting of the
        /// daemon or, with the handler `metrics`, no.
        package var sessions: Bool?
    }

    /// The treatment of new connections while a session limit is reached.
    package enum WhenFull: String, CaseIterable, Sendable {
        /// The connections wait in the kernel's backlog.
        case pause
        /// The connections are accepted and reset.
        case reject
    }

    /// How fast a listener accepts connections.
    package struct AcceptRate: Equatable, Sendable {
        /// The connections per second, on average.
        package var perSecond: Int
        /// The most connections that are accepted at once after an idle period.
        package var burst: Int
    }

    /// The PROXY protocol headers that a listener reads.
    package struct ProxyProtocolSource: Equatable, Sendable {
        /// The sources that must send the header; from others, no header is read.
        package var from: [AddressPrefix]
        /// The time in which the whole header must arrive.
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
        Key("allow", AddressList.form(isEmptyAllowed: false)),
        Key("deny", AddressList.form(isEmptyAllowed: true)),
        Key("proxyProtocol", .object(ProxyProtocolSource.keys)),
        Key("timeouts", .object(Timeouts.keys)),
        Key("socket", .object(SocketOptions.keys)),
        Key("log", .object(Log.keys)),
    ])

    init(
        _ listener: ObjectReader.NamedObject,
        claims: inout AddressClaims,
        files: AddressFileReader
    ) {
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
        allow = AddressList(object, "allow", files)
        deny = AddressList(object, "deny", files) ?? AddressList()
        proxyProtocol = object.optionalObject("proxyProtocol").map(ProxyProtocolSource.init)
        timeouts = Timeouts(object.object("timeouts"))
        log = Log(object.object("log"))
        for listen in listens {
            claims.claim(
                listen.value,
                of: name,
                onlyV6: socket.onlyV6,
                for: listen.pointer
            )
        }
    }
}

extension ListenerConfiguration.Log {
    package static let keys = KeyTable([
        Key("sessions", .boolean)
    ])

    init(_ object: ObjectReader) {
        sessions = object.optionalBoolean("sessions")
    }
}

extension ListenerConfiguration.AcceptRate {
    package static let keys = KeyTable([
        Key(required: "perSecond", .integer(1...1_000_000)),
        Key("burst", .integer(1...1_000_000)),
    ])

    /// Reads the rate.
    ///
    /// If the file has no burst, it defaults to the number of connections per second.
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
