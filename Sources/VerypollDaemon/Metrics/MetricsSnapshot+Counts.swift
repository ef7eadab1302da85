internal import VerypollServer

// The counters by reason, cause and kind, and those of reloads.

extension MetricsSnapshot {
    /// The labels of `verypolld_build_info`.
    var build: MetricLabels {
        ["version": version, "os": "linux", "arch": BuildTarget.architecture]
    }

    /// Writes the memory of the process, and the results of reloads.
    func writeReloads(to writer: inout some MetricsWriter) {
        let daemon: [Labeled<MetricsSnapshot>] = [([:], self)]
        writer.gauges(
            "process_resident_memory_bytes",
            "The memory that the daemon has in RAM.",
            daemon,
            \.process.memory?.resident
        )
        writer.gauges(
            "process_virtual_memory_bytes",
            "The address space of the daemon.",
            daemon,
            \.process.memory?.virtual
        )
        let results: [Labeled<Int>] = [
            (labels: ["result": "applied"], element: reloads.appliedCount),
            (labels: ["result": "refused"], element: reloads.refusedCount),
        ]
        writer.counters(
            "verypolld_reloads",
            "The reloads since the start, by result.",
            results
        ) { $0 }
        writer.gauges(
            "verypolld_last_reload_successful",
            "1 if the configuration that was read last is in effect, else 0.",
            daemon
        ) { $0.reloads.isLastApplied ? 1 : 0 }
        writer.gauges(
            "verypolld_last_reload_timestamp_seconds",
            "The time of the last reload or of the start, since 1970-01-01 UTC.",
            daemon
        ) { seconds($0.reloads.lastAt) }
        writer.gauges(
            "verypolld_last_successful_reload_timestamp_seconds",
            "The time at which the configuration came into effect, since 1970-01-01 UTC.",
            daemon
        ) { seconds($0.reloads.appliedAt) }
        writer.info(
            "verypolld_configuration",
            "The hash of the configuration in effect.",
            ["hash": reloads.hash]
        )
    }

    /// Writes the ends of sessions by reason, and the refused clients by cause.
    func writeEnds(to writer: inout some MetricsWriter) {
        var ends: [Labeled<UInt64>] = []
        for listener in listeners {
            for code in SessionEndCode.allCases {
                let count = listener.tally.ends[code]
                guard count > 0 || listener.endCodes.contains(code) else { continue }
                let labels: MetricLabels = ["listener": listener.name, "reason": code.name]
                ends.append((labels: labels, element: count))
            }
        }
        writer.counters(
            "verypolld_sessions_ended",
            "The sessions that have ended, by reason.",
            ends
        ) { $0 }
        let refusals = listeners.flatMap { listener in
            RefusalCause.allCases.map { cause in
                let labels: MetricLabels = ["listener": listener.name, "cause": cause.name]
                return (labels: labels, element: listener.tally.refusals[cause])
            }
        }
        writer.counters(
            "verypolld_clients_refused",
            "The clients that were denied or rejected, by cause.",
            refusals
        ) { $0 }
    }

    /// Writes the waits and retries of the upstreams' sessions.
    func writeWaits(to writer: inout some MetricsWriter) {
        let all = upstreams.map { (labels: ["upstream": $0.name] as MetricLabels, element: $0) }
        writer.histograms(
            "verypolld_upstream_queue_wait_seconds",
            "The times that sessions have waited in the queue.",
            all,
            \.queueWait
        )
        writer.counters(
            "verypolld_upstream_retries",
            "The attempts to connect after the first one of a session.",
            all,
            \.retries
        )
    }

    /// Writes the errors of servers by kind.
    func writeErrors(to writer: inout some MetricsWriter) {
        let errors = servers.flatMap { server in
            ServerErrorKind.allCases.map { kind in
                let labels: MetricLabels = [
                    "upstream": server.upstream, "server": server.address, "kind": kind.name,
                ]
                return (labels: labels, element: server.errors[kind])
            }
        }
        writer.counters(
            "verypolld_upstream_errors",
            "The failed attempts to connect to servers, and their failed connections, by kind.",
            errors
        ) { $0 }
    }
}
