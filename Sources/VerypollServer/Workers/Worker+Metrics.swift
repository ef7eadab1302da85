internal import Verypoll

/// The sessions of a worker that wait for metrics in one format.
///
/// At most one question is under way for all of them, so no crowd of clients can fill a mailbox.
struct MetricsQueue {
    /// Those that the question under way was asked for.
    var asking: [SlabKey] = []
    /// Those that came later: what is being written may be older than their requests.
    var waiting: [SlabKey] = []
}

extension Worker {
    /// Has metrics written for a session.
    mutating func awaitMetrics(_ key: SlabKey, in format: MetricsFormat) {
        metricsQueues[format, default: MetricsQueue()].waiting.append(key)
        askForMetrics(in: format)
    }

    /// Hands metrics to the sessions that have waited for them.
    package mutating func answer(with text: [UInt8], in format: MetricsFormat) {
        let keys = metricsQueues[format]?.asking ?? []
        metricsQueues[format]?.asking = []
        for key in keys where sessions.contains(key) {
            // Nobody is to come back when the daemon is about to stop.
            if isDraining { sessions[key].exchange?.isLast = true }
            sessions[key].exchange?.answer(with: text)
            ready.append(key)
        }
        askForMetrics(in: format)
    }

    private mutating func askForMetrics(in format: MetricsFormat) {
        guard let queue = metricsQueues[format], queue.asking.isEmpty, !queue.waiting.isEmpty
        else { return }
        metricsQueues[format] = MetricsQueue(asking: queue.waiting)
        guard !context.supervisor.post(.writeMetrics(format, worker: context.index)) else { return }
        metricsQueues[format] = nil
        for key in queue.waiting where sessions.contains(key) {
            sessions[key].exchange?.giveUp()
            ready.append(key)
        }
    }

    /// Ends the metrics sessions between two requests, and the others behind the present one.
    ///
    /// Who watches the daemon keeps its connection for ever, and would hold up every stop.
    mutating func endIdleMetrics() {
        for index in 0..<sessions.endIndex {
            guard let key = sessions.key(at: index),
                context.listeners[sessions[key].listener].service == .metrics
            else { continue }
            if let exchange = sessions[key].exchange {
                exchange.isLast = true
            } else {
                end(key, because: .drained)
            }
        }
    }
}
