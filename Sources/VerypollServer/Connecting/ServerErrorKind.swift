package import SystemPackage
internal import Verypoll

/// The kind of an error of a server: the label `kind` of `verypolld_upstream_errors_total`.
package enum ServerErrorKind: UInt8, CountedKind {
    /// An attempt to connect failed: nothing listens.
    case connectRefused
    /// An attempt to connect did not succeed in time.
    case connectTimeout
    /// An attempt to connect failed: the network or the host cannot be reached.
    case connectUnreachable
    /// The connection was reset before the server had proven that it accepted the session.
    case connectReset
    /// The daemon had no descriptor, memory or port, or the backlog of a Unix-domain socket was
    /// full.
    case connectResources
    /// An attempt to connect failed for another reason.
    case connectOther
    /// The server reset the connection.
    case reset
    /// The server no longer answered, so the kernel ended the connection.
    case timeout
    /// The server refused to use TLS, or answered the request for TLS with something else.
    case noTLS
    /// The connection failed for another reason.
    case other

    /// The name in metrics; it never changes.
    package var name: String {
        switch self {
        case .connectRefused: "connect_refused"
        case .connectTimeout: "connect_timeout"
        case .connectUnreachable: "connect_unreachable"
        case .connectReset: "connect_reset"
        case .connectResources: "connect_resources"
        case .connectOther: "connect_other"
        case .reset: "reset"
        case .timeout: "timeout"
        case .noTLS: "no_tls"
        case .other: "other"
        }
    }

    /// The kind of a failed attempt to connect.
    package init(connecting error: Errno) {
        switch error {
        // A Unix-domain socket without a listener, or without a file.
        case .connectionRefused, .noSuchFileOrDirectory: self = .connectRefused
        case .timedOut: self = .connectTimeout
        // No transport leads to the CID of a vsock server, or the kernel has no vsock.
        case .operationNotSupportedByDevice, .addressFamilyNotSupported: self = .connectUnreachable
        case .noRouteToHost, .networkUnreachable, .networkDown, .hostIsDown:
            self = .connectUnreachable
        case .connectionReset, .brokenPipe: self = .connectReset
        default: self = error.isShortage ? .connectResources : .connectOther
        }
    }

    /// The kind of the failure of an established connection.
    package init(connected error: Errno) {
        switch error {
        case .connectionReset, .brokenPipe: self = .reset
        case .timedOut: self = .timeout
        default: self = .other
        }
    }
}
