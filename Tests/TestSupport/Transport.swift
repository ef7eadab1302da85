/// The transport of a connection.
package enum Transport: String, Sendable {
    case tcp
    case unix
}

/// The transports of the connections on the two sides of a proxy.
package struct Sides: CustomStringConvertible, Sendable {
    package var client: Transport
    package var server: Transport

    package init(client: Transport, server: Transport) {
        self.client = client
        self.server = server
    }

    package static let tcp = Sides(client: .tcp, server: .tcp)
    package static let unix = Sides(client: .unix, server: .unix)
    package static let all = [
        tcp, Sides(client: .tcp, server: .unix), Sides(client: .unix, server: .tcp), unix,
    ]

    package var description: String { "\(client) to \(server)" }
}
