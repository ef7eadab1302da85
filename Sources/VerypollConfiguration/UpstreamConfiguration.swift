internal import StrictJSON

/// An upstream: servers that do the same, and how sessions are spread over them.
package struct UpstreamConfiguration: Equatable, Sendable {
    /// Its name, which no other upstream has.
    package var name: String

    /// Where its name stands in the file.
    var position: Uncompared<SourcePosition?>

    /// The servers, in the order of the file; never empty.
    package var servers: [Server]

    /// How a session's server is chosen.
    package var balance: Balance

    /// The time in which a server has to accept a connection.
    package var connectTimeout: Duration

    /// What happens while no server can be reached.
    package var retry: Retry

    /// The most sessions at a time, or `nil` for no limit.
    package var maxSessions: Int?

    /// How servers are probed, or `nil` if they are not.
    package var check: HealthCheck?

    /// How the failures of sessions count.
    package var passive: PassiveCheck

    /// What becomes of the live sessions of a server that goes down.
    package var whenDown: WhenDown

    /// The PROXY protocol header that servers are sent.
    package var proxyProtocol: ProxyHeader

    /// How host names are resolved.
    package var resolve: Resolve

    /// A server.
    package struct Server: Equatable, Sendable {
        /// Where it is reached.
        package var address: UpstreamAddress
        /// Its share of the sessions, compared with the weights of the others.
        package var weight: Int
        /// Whether it gets sessions only while no other server is up.
        package var backup: Bool
    }

    /// How a session's server is chosen.
    package enum Balance: String, CaseIterable, Sendable {
        /// In turn.
        case roundRobin
        /// The one with the fewest sessions.
        case leastSessions
        /// The less busy of two that are drawn by lot.
        case random
        /// The same for the same source, as far as the set of servers stays the same.
        case sourceHash
    }

    /// What happens while no server can be reached.
    package struct Retry: Equatable, Sendable {
        /// How long a client is held, unread.
        package var duration: Duration
    }

    /// How servers are probed.
    package struct HealthCheck: Equatable, Sendable {
        /// The time from probe to probe.
        package var interval: Duration
        /// The time in which a probe has to succeed.
        package var timeout: Duration
        /// How many probes in a row have to succeed for a server to be up again.
        package var rise: Int
        /// How many probes in a row have to fail for a server to be down.
        package var fall: Int
        /// What a probe sends; nothing if empty.
        package var send: String
        /// What the answer has to begin with; none is awaited if empty.
        package var expect: String
    }

    /// How the failures of sessions count.
    package struct PassiveCheck: Equatable, Sendable {
        /// How many failures to connect in a row take a server out.
        package var fall: Int
        /// How long it stays out.
        package var duration: Duration
    }

    /// What becomes of the live sessions of a server that goes down.
    package enum WhenDown: String, CaseIterable, Sendable {
        /// They live on.
        case keep
        /// They have the time of `drain.deadline`.
        case drain
        /// They end at once.
        case close
    }

    /// The PROXY protocol header that servers are sent.
    package enum ProxyHeader: String, CaseIterable, Sendable {
        /// None.
        case off
        /// The line of text.
        case v1
        /// The binary form.
        case v2
    }

    /// How host names are resolved.
    package struct Resolve: Equatable, Sendable {
        /// The time from one resolution to the next.
        package var interval: Duration
    }
}
