extension Status {
    /// How a listener with inspection chooses the upstreams of its sessions.
    package struct Routing: Codable, Hashable, Sendable {
        package var listener: String
        package var inspect: String
        package var routes: [Route]
        package var upstream: String?
        package var notTLS: String?

        /// Makes a routing from its fields.
        package init(
            listener: String,
            inspect: String,
            routes: [Route],
            upstream: String?,
            notTLS: String?
        ) {
            self.listener = listener
            self.inspect = inspect
            self.routes = routes
            self.upstream = upstream
            self.notTLS = notTLS
        }
    }

    /// A route of a listener.
    package struct Route: Codable, Hashable, Sendable {
        package var name: String
        package var serverNames: [String]?
        package var alpn: [String]?
        package var upstream: String
        package var active: Int
        package var sessions: Int

        /// Makes a route from its fields.
        package init(
            name: String,
            serverNames: [String]?,
            alpn: [String]?,
            upstream: String,
            active: Int,
            sessions: Int
        ) {
            self.name = name
            self.serverNames = serverNames
            self.alpn = alpn
            self.upstream = upstream
            self.active = active
            self.sessions = sessions
        }
    }
}

/// The reply of `ListRoutes`.
package struct RoutingList: Codable, Hashable, Sendable {
    package var routings: [Status.Routing]

    /// Makes a list from routings in the order of their listeners' names.
    package init(routings: [Status.Routing]) {
        self.routings = routings
    }
}
