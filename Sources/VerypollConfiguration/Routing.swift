internal import Console
internal import StrictJSON

/// How the sessions of a proxy get their upstreams.
package struct Routing: Hashable, Sendable {
    /// The bytes of a client that a listener reads before it chooses an upstream.
    package enum Inspection: String, CaseIterable, Sendable {
        /// Nothing; all sessions go to one upstream.
        case off
        /// The ClientHello of a TLS client.
        case tls
        /// PostgreSQL's request for TLS, and the ClientHello after it.
        case postgresql
    }

    package var inspection = Inspection.off

    /// The routes, in the order of their names, which has no meaning; empty without inspection.
    package var routes: [Route] = []

    /// The name of the upstream for sessions that no route matches, or `nil` to refuse these.
    package var upstream: String?

    /// The name of the upstream for clients that do not begin with TLS, or `nil` to refuse these.
    package var notTLS: String?

    /// The names of all upstreams, possibly repeated: those of the routes, then ``upstream`` and
    /// ``notTLS`` if they are set.
    package var upstreams: [String] {
        routes.map(\.upstream) + [upstream, notTLS].compactMap { $0 }
    }
}

/// A rule that sends clients to an upstream by what they ask for.
package struct Route: Hashable, Sendable {
    /// The name, which is unique in the listener.
    package var name: String

    /// The names that a client may ask for, or `nil` for any name or none.
    package var serverNames: [ServerNamePattern]?

    /// The protocols of which a client must offer one, or `nil` for any or none.
    package var alpn: [String]?

    /// The name of the upstream.
    package var upstream: String

    package init(
        name: String,
        serverNames: [ServerNamePattern]? = nil,
        alpn: [String]? = nil,
        upstream: String
    ) {
        self.name = name
        self.serverNames = serverNames
        self.alpn = alpn
        self.upstream = upstream
    }
}

// MARK: - Reading

extension Routing {
    static let keys = [
        Key("upstream", .text),
        Key("inspect", .choice(of: Inspection.self), default: "off"),
        Key("routes", .named(Route.keys, isEmptyAllowed: false)),
        Key("notTLS", .text),
    ]

    /// Reads the keys of a handler.
    ///
    /// `Configuration.check` tests later whether the upstreams exist.
    init(_ object: ObjectReader) {
        inspection = object.word("inspect")
        upstream = object.text("upstream") { name in name }
        notTLS = object.text("notTLS") { name in name }
        if object.has("routes") {
            let routes = object.objects("routes").compactMap { named in
                Route(named).map { (route: $0, object: named.object) }
            }
            Self.reportAmbiguity(of: routes)
            self.routes = routes.map(\.route).sorted { $0.name < $1.name }
        }
        guard inspection == .off else {
            if routes.isEmpty, upstream == nil, !object.has("routes"), !object.has("upstream") {
                object.problems.report(
                    object.pointer,
                    "the handler \"proxy\" needs the key \"routes\" or \"upstream\"; add one"
                )
            }
            return
        }
        for key in ["routes", "notTLS"] where object.has(key) {
            object.problems.report(
                object.pointer / key,
                "has no effect without inspection; add \"inspect\": \"tls\", or remove the key"
            )
        }
        if !object.has("upstream") {
            object.problems.report(
                object.pointer,
                "the handler \"proxy\" needs the key \"upstream\"; add it"
            )
        }
        routes = []
        notTLS = nil
    }

    /// Reports routes that match the same clients.
    private static func reportAmbiguity(of routes: [(route: Route, object: ObjectReader)]) {
        struct Claim: Hashable {
            let name: ServerNamePattern?
            let `protocol`: String?
        }
        var owners: [Claim: JSONPointer] = [:]
        for (route, object) in routes {
            let pointer = object.pointer
            let names = (route.serverNames ?? []).enumerated()
                .map { ($1 as ServerNamePattern?, pointer / "serverNames" / $0) }
            for (name, place) in names.isEmpty ? [(nil, pointer)] : names {
                let protocols = (route.alpn ?? []).enumerated().map { index, text in
                    (text as String?, names.isEmpty ? pointer / "alpn" / index : place)
                }
                for (text, place) in protocols.isEmpty ? [(nil, place)] : protocols {
                    let claim = Claim(name: name, protocol: text)
                    guard let owner = owners.updateValue(place, forKey: claim) else { continue }
                    owners[claim] = owner
                    object.problems.report(
                        place,
                        "matches the same clients as \(owner); change one of them"
                    )
                }
            }
        }
    }
}

extension Route {
    package static let keys = KeyTable([
        Key("serverNames", .list(of: .text, isEmptyAllowed: false)),
        Key("alpn", .list(of: .text, isEmptyAllowed: false)),
        Key(required: "upstream", .text),
    ])

    /// Reads a route; `nil` if a part is missing or invalid, which was then reported.
    init?(_ route: ObjectReader.NamedObject) {
        let object = route.object
        let names = object.texts("serverNames", as: ServerNamePattern.init)
        let protocols = object.texts("alpn", as: Route.checkProtocol)
        guard let upstream = object.text("upstream", as: { name in name }) else { return nil }
        guard !object.has("serverNames") || names?.isEmpty == false,
            !object.has("alpn") || protocols?.isEmpty == false
        else { return nil }
        self.init(
            name: route.name,
            serverNames: names?.map(\.value),
            alpn: protocols?.map(\.value),
            upstream: upstream
        )
    }

    private static func checkProtocol(_ text: String) throws(InvalidValue) -> String {
        guard (1...255).contains(text.utf8.count) else {
            throw InvalidValue(
                "\(text.quoted) is not a valid protocol; write 1 to 255 bytes, such as \"h2\""
            )
        }
        return text
    }
}
