internal import VerypollConfiguration

extension Listener {
    /// The reasons for which sessions of this listener can end, whether or not some have.
    ///
    /// Metrics have a sample for each of them from the start, so that the first end is an increase.
    package var endCodes: [SessionEndCode] {
        SessionEndCode.allCases.filter { code in
            switch code {
            case .completed, .clientReset, .clientTimeout, .clientFailed, .timeoutIdle,
                .timeoutHalfClosed, .timeoutLifetime, .killed, .drained, .stopped:
                true
            case .serverReset, .serverTimeout, .serverFailed, .noServerUp, .noServerReached,
                .queueFull, .queueTimeout, .serverDown:
                service == .proxy
            case .proxyHeaderMalformed, .notAdmitted, .timeoutProxyHeader: headerSources != nil
            case .notTLS, .helloMalformed, .helloTooLarge, .noRoute, .timeoutInspect:
                router != nil
            case .serverRefusedTLS, .serverAnswerInvalid: router?.inspection == .postgresql
            case .timeoutFirstByte: service.awaitsClient
            case .timeoutRequestHead: service == .metrics
            case .handedOver: false  // The process ends at the same time.
            }
        }
    }
}
