/// The reason that a session ended, for programs: the journal field `VERYPOLL_REASON_CODE` and the
/// label `reason` of the metrics.
///
/// The names never change. New codes are added at the end of the enumeration; ``KindCounts`` has
/// room for 32.
package enum SessionEndCode: UInt8, CountedKind {
    case completed
    case clientReset
    case clientTimeout
    case clientFailed
    case serverReset
    case serverTimeout
    case serverFailed
    case noServerUp
    case noServerReached
    case queueFull
    case queueTimeout
    case serverDown
    case proxyHeaderMalformed
    case notTLS
    case helloMalformed
    case helloTooLarge
    case noRoute
    case serverRefusedTLS
    case serverAnswerInvalid
    case notAdmitted
    case timeoutFirstByte
    case timeoutIdle
    case timeoutHalfClosed
    case timeoutLifetime
    case timeoutProxyHeader
    case timeoutInspect
    case timeoutRequestHead
    case killed
    case drained
    case stopped
    case handedOver

    /// The name in the journal and in metrics.
    package var name: String {
        switch self {
        case .completed: "completed"
        case .clientReset: "client_reset"
        case .clientTimeout: "client_timeout"
        case .clientFailed: "client_failed"
        case .serverReset: "server_reset"
        case .serverTimeout: "server_timeout"
        case .serverFailed: "server_failed"
        case .noServerUp: "no_server_up"
        case .noServerReached: "no_server_reached"
        case .queueFull: "queue_full"
        case .queueTimeout: "queue_timeout"
        case .serverDown: "server_down"
        case .proxyHeaderMalformed: "proxy_header_malformed"
        case .notTLS: "not_tls"
        case .helloMalformed: "hello_malformed"
        case .helloTooLarge: "hello_too_large"
        case .noRoute: "no_route"
        case .serverRefusedTLS: "server_refused_tls"
        case .serverAnswerInvalid: "server_answer_invalid"
        case .notAdmitted: "not_admitted"
        case .timeoutFirstByte: "timeout_first_byte"
        case .timeoutIdle: "timeout_idle"
        case .timeoutHalfClosed: "timeout_half_closed"
        case .timeoutLifetime: "timeout_lifetime"
        case .timeoutProxyHeader: "timeout_proxy_header"
        case .timeoutInspect: "timeout_inspect"
        case .timeoutRequestHead: "timeout_request_head"
        case .killed: "killed"
        case .drained: "drained"
        case .stopped: "stopped"
        case .handedOver: "handed_over"
        }
    }
}
