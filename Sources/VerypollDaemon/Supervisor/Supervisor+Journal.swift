internal import Logging
internal import VerypollConfiguration
internal import VerypollControl
internal import VerypollServer

extension Supervisor {
    /// Says where it listens, and that it is ready.
    func logReadiness() {
        for entry in live.listeners {
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
                "maxSessions": "\(totalLimiter.limit)",
            ]
        )
    }
}
