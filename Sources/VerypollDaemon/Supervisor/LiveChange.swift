internal import Logging
internal import Systemd
internal import VerypollConfiguration
internal import VerypollServer

/// A change of the live configuration that opens sockets.
///
/// It is made on a thread of its own: thousands of sockets take too long for the supervisor's
/// thread. Until the outcome arrives, nothing else may change the live configuration.
enum LiveChange {
    /// Puts another configuration into effect, with the servers that services have named.
    case reload(NextConfiguration, effective: Configuration)
    /// Accepts again on drained listeners; `listener` is the name in the call, `nil` for all.
    case resume(listener: String?, names: Set<String>, Order.Request)

    /// The changed configuration, whose sockets listen; or the reason why nothing has changed.
    typealias Outcome = Result<LiveConfiguration, ListenerError>

    /// Makes the change.
    func outcome(from live: LiveConfiguration, logger: Logger) -> Outcome {
        let exchange = SocketExchange(live.handoffStore, logger: logger)
        var candidate = live
        return Result { () throws(ListenerError) in
            switch self {
            case .reload(_, let effective):
                var none = ActivatedSockets([])
                try candidate.change(
                    to: effective,
                    exchange: exchange,
                    activated: &none
                )
                try candidate.applyFileAccess(after: live)
            case .resume(_, let names, _):
                try candidate.resume(listeners: names, exchange: exchange)
            }
            try exchange.commit()
            // Nothing can fail from here on.
            candidate.applySocketOptions(after: live, logger: logger)
            return candidate
        }
    }
}
