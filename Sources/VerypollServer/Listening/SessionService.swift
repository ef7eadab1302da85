/// What a session does, as a plain value for the worker to switch over.
package enum SessionService: String, Sendable {
    case echo
    case discard
    case drop
    case daytime
    case chargen
    case proxy
    case metrics

    /// Whether the session waits for its client to send the first byte.
    ///
    /// With a proxy either end may be the first to speak.
    package var awaitsClient: Bool {
        switch self {
        case .echo, .discard, .proxy, .metrics: true
        case .drop, .daytime, .chargen: false
        }
    }
}
