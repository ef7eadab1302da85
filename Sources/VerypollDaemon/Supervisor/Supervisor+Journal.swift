#if Net && OSExt
internal import Logging
internal import VerypollControl

extension Supervisor {
    /// Says where it listens, and that it is ready.
    func logReadiness() {
        for listener in served {
            for address in listener.addresses {
                logger.info(
                    .listening,
                    "listening on \(address.address)",
                    metadata: [
                        "listener": "\(listener.name)",
                        "handler": "\(listener.service.rawValue)",
                        "origin": "\(address.origin.rawValue)",
                    ]
                )
            }
        }
        logger.notice(
            .ready,
            "verypolld \(Release.version) is ready",
            metadata: [
                "configuration": "\(loaded.path ?? "built-in default")",
                "workers": "\(workers.count)",
                "maxSessions": "\(totalGate.limit)",
            ]
        )
    }
}
#endif
