internal import Console
internal import StrictJSON

/// The service of a listener.
package enum Handler: Hashable, Sendable {
    /// Sends received bytes back (RFC 862).
    case echo
    /// Reads and ignores received bytes (RFC 863).
    case discard
    /// Closes the connection at once.
    case drop
    /// Sends the date and time, then closes (RFC 867).
    case daytime
    /// Sends characters without end (RFC 864).
    case chargen
    /// Answers HTTP requests for the daemon's metrics and, if `page` is true, for its status page.
    case metrics(page: Bool)
    /// Connects the session to a server of an upstream.
    case proxy(Routing)

    /// The kind, under its name in the configuration and in the status.
    package var kind: Kind {
        switch self {
        case .echo: .echo
        case .discard: .discard
        case .drop: .drop
        case .daytime: .daytime
        case .chargen: .chargen
        case .metrics: .metrics
        case .proxy: .proxy
        }
    }

    /// A kind of handler, without its settings.
    package enum Kind: String, CaseIterable, Sendable {
        case echo, discard, drop, daytime, chargen, metrics, proxy
    }

    /// Whether sessions are proxied and therefore have two sockets.
    var isProxy: Bool { kind == .proxy }

    /// Whether HTTP clients can read the status page.
    package var servesPage: Bool { self == .metrics(page: true) }

    /// How sessions get their upstreams; `nil` if the handler is not a proxy.
    package var routing: Routing? {
        if case .proxy(let routing) = self { routing } else { nil }
    }
}

// MARK: - Reading

extension Handler {
    package static let keys = KeyTable(
        [Key(required: "type", .choice(of: Kind.self))] + Routing.keys
            + [Key("page", .boolean, default: false)]
    )

    /// Reads the handler.
    init(_ object: ObjectReader) {
        let kind: Kind? = object.optionalWord("type")
        if let kind, kind != .proxy {
            for key in Routing.keys where object.has(key.name) {
                object.problems.report(
                    object.pointer / key.name,
                    "the handler \(kind.rawValue.quoted) has no \(key.name); remove the key"
                )
            }
        }
        if let kind, kind != .metrics, object.has("page") {
            object.problems.report(
                object.pointer / "page",
                "the handler \(kind.rawValue.quoted) has no page; remove the key"
            )
        }
        switch kind {
        case .echo: self = .echo
        case .discard: self = .discard
        case .daytime: self = .daytime
        case .chargen: self = .chargen
        case .metrics: self = .metrics(page: object.boolean("page"))
        case .proxy: self = .proxy(Routing(object))
        case .drop, nil: self = .drop
        }
    }
}
