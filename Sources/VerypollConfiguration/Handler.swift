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
    /// Answers HTTP requests for the daemon's metrics.
    case metrics
    /// Connects the session to a server of the named upstream.
    case proxy(upstream: String)

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
}

// MARK: - Reading

extension Handler {
    package static let keys = KeyTable([
        Key(required: "type", .choice(of: Kind.self)),
        Key("upstream", .text),
    ])

    /// Reads the handler.
    ///
    /// `Configuration.check` tests later whether the upstream exists.
    init(_ object: ObjectReader) {
        let kind: Kind? = object.optionalWord("type")
        let upstream = object.text("upstream") { name in name }
        if kind == .proxy, !object.has("upstream") {
            object.problems.report(
                object.pointer,
                "the handler \"proxy\" needs the key \"upstream\"; add it"
            )
        } else if let kind, kind != .proxy, object.has("upstream") {
            object.problems.report(
                object.pointer / "upstream",
                "the handler \(kind.rawValue.quoted) has no upstream; remove the key"
            )
        }
        switch kind {
        case .echo: self = .echo
        case .discard: self = .discard
        case .daytime: self = .daytime
        case .chargen: self = .chargen
        case .metrics: self = .metrics
        case .proxy: self = upstream.map(Handler.proxy) ?? .drop  // Reported above.
        case .drop, nil: self = .drop
        }
    }
}
