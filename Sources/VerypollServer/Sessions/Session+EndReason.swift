internal import SystemPackage

extension Session.EndReason {
    /// Whether the session has failed, so that its connections must be reset: an end of file would
    /// tell the peers that all bytes have arrived.
    ///
    /// After a timeout, a drain or a stop, the connections end normally unless bytes are buffered
    /// (`Worker.end`).
    var isBreak: Bool {
        switch self {
        case .timedOut(.proxyHeader), .timedOut(.inspect): true
        case .completed, .noRoute, .notTLS, .timedOut, .drained, .stopped, .handedOff: false
        default: true
        }
    }
}

extension Session.EndReason {
    /// The reason for programs, which is less detailed than the text.
    package var code: SessionEndCode {
        switch self {
        case .completed: .completed
        case .failed(.connectionReset), .failed(.brokenPipe): .clientReset
        case .failed(.timedOut): .clientTimeout
        case .failed: .clientFailed
        case .serverFailed(.connectionReset), .serverFailed(.brokenPipe): .serverReset
        case .serverFailed(.timedOut): .serverTimeout
        case .serverFailed: .serverFailed
        case .noServer(.down): .noServerUp
        case .noServer(.unreachable): .noServerReached
        case .noServer(.queueFull): .queueFull
        case .noServer(.queueTimeout): .queueTimeout
        case .serverDown: .serverDown
        case .malformedHeader: .proxyHeaderMalformed
        case .notTLS: .notTLS
        case .malformedHello: .helloMalformed
        case .helloTooLarge: .helloTooLarge
        case .noRoute: .noRoute
        case .serverHasNoTLS: .serverRefusedTLS
        case .invalidAnswer: .serverAnswerInvalid
        case .notAdmitted: .notAdmitted
        case .timedOut(let timeout): timeout.code
        case .killed: .killed
        case .drained: .drained
        case .stopped: .stopped
        case .handedOff: .handedOver
        }
    }

    /// Returns the party that ended the session first.
    ///
    /// - Parameter firstEnd: The party whose end of file came first, if one has come.
    /// - Returns: The party that failed, whose end of file came first, or whose decision it was.
    package func closer(firstEnd: SessionParty?) -> SessionParty {
        switch self {
        case .completed: firstEnd ?? .client
        case .failed: .client
        case .serverFailed: .server
        default: .daemon
        }
    }
}

extension Session.EndReason {
    /// The cause if the session ends because its client is refused; otherwise `nil`.
    var refusal: RefusalCause? {
        switch self {
        case .malformedHeader: .proxyHeader
        case .timedOut(.proxyHeader): .proxyHeaderTimeout
        case .notAdmitted(let cause): cause
        default: nil
        }
    }
}

extension Session.Timeout {
    fileprivate var code: SessionEndCode {
        switch self {
        case .firstByte: .timeoutFirstByte
        case .idle: .timeoutIdle
        case .halfClosed: .timeoutHalfClosed
        case .lifetime: .timeoutLifetime
        case .proxyHeader: .timeoutProxyHeader
        case .inspect: .timeoutInspect
        case .requestHead: .timeoutRequestHead
        // The next two are never the reason of an end by themselves.
        case .connector: .noServerReached
        case .drain: .drained
        }
    }
}

extension Session.EndReason: CustomStringConvertible {
    // Documented values of VERYPOLL_REASON; operators search for them.
    package var description: String {
        switch self {
        case .completed: "both ways ended"
        case .failed(let error): "\(error)"
        case .serverFailed(let error): "the server's connection failed: \(error)"
        case .noServer(.down): "no server is up"
        case .noServer(.unreachable(let error)): "no server can be reached, the last: \(error)"
        case .noServer(.queueFull): "the upstream's queue is full"
        case .noServer(.queueTimeout): "the upstream had no room in time"
        case .serverDown: "the server is down"
        case .malformedHeader(let reason): "the PROXY header \(reason.rawValue)"
        case .notTLS: "the client did not begin with TLS"
        case .malformedHello(let reason): "the ClientHello \(reason.rawValue)"
        case .helloTooLarge: "the ClientHello is too large"
        case .noRoute: "no route matches the client"
        case .serverHasNoTLS: "the server refused TLS"
        case .invalidAnswer: "the server's answer to the request for TLS is invalid"
        case .notAdmitted: "the source is not admitted"
        case .timedOut(let timeout): "the time \(timeout.rawValue) ran out"
        case .killed: "killed"
        case .drained: "drained"
        case .stopped: "the daemon stopped"
        case .handedOff: "handed over to the next process"
        }
    }
}
