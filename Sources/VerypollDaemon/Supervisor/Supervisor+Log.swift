internal import Logging
internal import Verypoll
internal import VerypollServer

extension Supervisor {
    /// Logs clients that were refused, as far as ``RefusalLog`` lets them be logged now.
    func logRefusals(_ now: ContinuousClock.Instant, isLast: Bool = false) {
        let entries = refusalLog.entries(
            for: live.listeners.map { ($0.name, live.tally(of: $0).refusals) },
            now: now,
            isLast: isLast
        )
        for refused in entries {
            let entry = live.listeners.first { $0.name == refused.listener }
            let counters = entry.map { live.listener(of: $0).counters } ?? []
            let peer = counters.compactMap { $0.lastRefused(because: refused.cause) }.first
            var metadata: Logger.Metadata = [
                "listener": "\(refused.listener)",
                "cause": "\(refused.cause.name)",
                "count": .number(refused.count),
            ]
            if let peer { metadata["peer"] = "\(peer)" }
            logger.log(
                level: refused.cause == .cycle ? .warning : .notice,
                .clientsRefused,
                "\(refused.message(lastPeer: peer?.description))",
                metadata: metadata
            )
        }
    }
}
