internal import VerypollConfiguration

/// The kind of a listener's handler in the data plane.
///
/// The raw value equals that of the configuration's kind. It is written into session records, so
/// never rename a case: the next process would not restore the sessions.
package enum SessionService: String, Sendable {
    case echo
    case discard
    case drop
    case daytime
    case chargen
    case proxy
    case metrics

    /// Makes the service for a kind of handler.
    init(_ kind: Handler.Kind) {
        self =
            switch kind {
            case .echo: .echo
            case .discard: .discard
            case .drop: .drop
            case .daytime: .daytime
            case .chargen: .chargen
            case .proxy: .proxy
            case .metrics: .metrics
            }
    }

    /// Whether the session waits for its client to send the first byte.
    ///
    /// If false, the worker serves the session at once after accept, and the timeout `firstByte`
    /// does not apply. A proxied session counts as waiting, although its server may send first.
    package var awaitsClient: Bool {
        switch self {
        case .echo, .discard, .proxy, .metrics: true
        case .drop, .daytime, .chargen: false
        }
    }
}
