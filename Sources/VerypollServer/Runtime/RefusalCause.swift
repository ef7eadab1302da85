/// The reason that a client was refused before it was served.
///
/// The name is the journal field `VERYPOLL_CAUSE` and the label `cause` of the metrics.
package enum RefusalCause: UInt8, CountedKind {
    /// `allow` or `deny` excludes the address.
    case accessRules
    /// The source has `maxSessionsPerSource` sessions.
    case sourceLimit
    /// The PROXY header is malformed.
    case proxyHeader
    /// The PROXY header was not complete in time.
    case proxyHeaderTimeout
    /// The connection was part of a circle through the daemon's own listeners.
    case cycle
    /// `maxSessions` of the listener is reached, and `whenFull` is `reject`.
    case listenerLimit
    /// `limits.maxSessions` is reached, and `whenFull` is `reject`.
    case totalLimit
    /// The connection failed while it was accepted.
    case acceptFailed

    /// The name in the journal and in metrics; it never changes.
    package var name: String {
        switch self {
        case .accessRules: "access_rules"
        case .sourceLimit: "source_limit"
        case .proxyHeader: "proxy_header"
        case .proxyHeaderTimeout: "proxy_header_timeout"
        case .cycle: "cycle"
        case .listenerLimit: "listener_limit"
        case .totalLimit: "total_limit"
        case .acceptFailed: "accept_failed"
        }
    }

    /// Whether the client counts as denied; otherwise it counts as rejected.
    var isDenial: Bool {
        switch self {
        case .accessRules, .sourceLimit, .proxyHeader, .proxyHeaderTimeout, .cycle: true
        case .listenerLimit, .totalLimit, .acceptFailed: false
        }
    }
}
