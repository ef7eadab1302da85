internal import StrictJSON

/// An upstream: interchangeable servers, and how sessions are distributed among them.
package struct UpstreamConfiguration: Equatable, Sendable {
    /// The name, which is unique among the upstreams.
    package var name: String

    /// The position of the name in the file.
    var position: Uncompared<SourcePosition?>

    /// The servers, in the order of the file; empty only if there are ``services``.
    ///
    /// While the daemon runs, the servers that ``services`` have named follow.
    package var servers: [Server]

    /// How a session's server is chosen.
    package var balance: Balance

    /// The property of a client that decides which server it gets, with ``Balance/sourceHash``.
    package var hashKey = HashKey.source

    /// The time in which a session must be connected, over all servers and addresses that it tries.
    ///
    /// A longer ``retry`` extends this time while no server can be reached.
    package var connectTimeout: Duration

    /// How the daemon retries while no server can be reached.
    package var retry: Retry

    /// The most sessions at the same time, or `nil` for no limit.
    package var maxSessions: Int?

    /// The health checks, or `nil` for none.
    package var check: HealthCheck?

    /// The conditions under which failed connections eject a server.
    package var passive: PassiveCheck

    /// The treatment of open sessions whose server goes down.
    package var whenDown: WhenDown

    /// The PROXY protocol header that the daemon sends to servers.
    package var proxyProtocol: ProxyHeader

    /// How host names are resolved.
    package var resolve: Resolve

    /// The time in which the share of a server that is up again grows to its weight, or `nil`.
    package var slowStart: Duration? = nil

    /// The services whose SRV records name further servers, in the order of the file.
    package var services: [Service] = []

    /// Whether a service has not been answered yet; always `false` in a configuration that was
    /// read.
    package var awaitsServices = false

    /// A server.
    package struct Server: Equatable, Sendable {
        package var address: UpstreamAddress
        /// The server's share of the sessions, relative to the weights of the others.
        package var weight: Int
        /// Whether the server gets sessions only while no other server is available.
        package var backup: Bool
        /// The most sessions of the server at the same time, or `nil` for no limit.
        package var maxSessions: Int? = nil
        /// The mode of the server, until an operator sets another one.
        package var state = State.up
        /// The record that has named the server; `nil` if the file names it.
        package var origin: Origin? = nil
        /// Whether only sessions of the previous process have named the server so far.
        package var isProvisional = false

        /// The mode of a server.
        package enum State: String, CaseIterable, Sendable {
            /// The server gets sessions while its health allows it.
            case up
            /// The server gets no new sessions, and its open sessions are drained.
            case drain
            /// The server is treated as if its checks had found it to be down.
            case down
        }
    }

    /// How a session's server is chosen.
    package enum Balance: String, CaseIterable, Sendable {
        /// The servers in turn, by weight.
        case roundRobin
        /// The server with the fewest sessions for its weight.
        case leastSessions
        /// The less busy of two random servers.
        case random
        /// The same server for the same ``HashKey``, as long as the servers stay the same.
        case sourceHash
    }

    /// The property of a client that decides which server it gets.
    package enum HashKey: String, CaseIterable, Sendable {
        /// The client's address.
        case source
        /// The name that a TLS client asks for; the client's address if it asks for none.
        case serverName
        /// The address to which the client connected.
        case destination
    }

    /// How the daemon retries while no server can be reached.
    package struct Retry: Equatable, Sendable {
        /// How long the daemon keeps trying, while it reads nothing from the client.
        package var duration: Duration
    }

    /// The conditions under which failed connections eject a server.
    package struct PassiveCheck: Equatable, Sendable {
        /// The number of failed connections in a row after which a server is ejected.
        package var fall: Int
        /// How long a server stays ejected.
        package var duration: Duration
    }

    /// The treatment of open sessions whose server goes down.
    package enum WhenDown: String, CaseIterable, Sendable {
        /// The sessions continue.
        case keep
        /// The sessions may continue for `drain.deadline`; then those that remain are reset
        /// together.
        ///
        /// Unlike in a drain, no session is ended earlier.
        case drain
        /// The sessions are reset at once.
        case close
    }

    /// The PROXY protocol header that the daemon sends to servers.
    package enum ProxyHeader: String, CaseIterable, Sendable {
        /// No header.
        case off
        /// The text header of version 1.
        case v1
        /// The binary header of version 2.
        case v2
    }

    /// How host names are resolved.
    package struct Resolve: Equatable, Sendable {
        /// The time from one resolution to the next.
        package var interval: Duration
        /// The least time from an answer about a service to the next question.
        package var atLeast = Duration.seconds(1)
        /// The most time from an answer about a service to the next question.
        package var atMost = Duration.seconds(300)
    }
}
