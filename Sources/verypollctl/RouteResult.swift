internal import Console
internal import VerypollConfiguration
internal import VerypollControl

/// The route that a listener chooses for a client, for `verypollctl routes --match`.
struct RouteResult: Encodable {
    let listener: String
    /// `nil` if no route matches the client.
    let route: String?
    /// `nil` if the client is refused.
    let upstream: String?
    let reason: String

    /// Finds the route as the daemon does.
    ///
    /// - Throws: `Failure` if the daemon reports a name that this version does not understand.
    init(_ routing: Status.Routing, name: String, protocols: [String]) throws(Failure) {
        let routes: [Route]
        do throws(InvalidValue) {
            routes = try routing.routes.map { route throws(InvalidValue) in try Route(route) }
        } catch {
            throw Failure(
                status: .failed,
                message: "the daemon's routes cannot be understood: \(error.reason)"
            )
        }
        var bytes = Array(name.utf8)
        let isValid = ServerName.normalize(&bytes)
        if !isValid { bytes = [] }
        let offer = protocols.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
        let match = RouteTable(routes).match(name: bytes.span, protocols: offer.span)
        listener = routing.listener
        guard let match else {
            route = nil
            upstream = routing.upstream
            let who = isValid ? "the name" : "a client without a name"
            reason =
                routing.upstream == nil
                ? "no route matches \(who), and there is no upstream for others"
                : "no route matches \(who)"
            return
        }
        let chosen = routes[match.route]
        route = chosen.name
        upstream = chosen.upstream
        let byName =
            switch match.reason {
            case .exactName: isValid ? "the name is exact" : "it matches clients without a name"
            case .wildcard: "the longest wildcard that matches"
            case .anyName: "it matches any name"
            }
        reason = byName + (match.isByProtocol ? ", and a protocol that the client offers" : "")
    }

    /// The result in one line.
    var text: String {
        let way = route.map { "route \($0)" } ?? "no route"
        let target = upstream.map { "upstream \($0)" } ?? "refused"
        return "\(listener): \(way), \(target): \(reason)"
    }
}

/// The results of all listeners with routes.
struct RouteResults: Encodable {
    let results: [RouteResult]
}

extension Route {
    fileprivate init(_ route: Status.Route) throws(InvalidValue) {
        self.init(
            name: route.name,
            serverNames: try route.serverNames?.map { name throws(InvalidValue) in
                try ServerNamePattern(name)
            },
            alpn: route.alpn,
            upstream: route.upstream
        )
    }
}
