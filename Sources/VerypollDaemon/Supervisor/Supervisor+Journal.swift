#if Net && OSExt
internal import Logging
internal import VerypollControl

extension Supervisor {
    /// Says where it listens, and that it is ready.
    func logReadiness() {
        for entry in roster.served {
            for address in entry.addresses {
                logger.info(
                    .listening,
                    "listening on \(address.address)",
                    metadata: [
                        "listener": "\(entry.name)",
                        "handler": "\(entry.configuration.handler.kind.rawValue)",
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
