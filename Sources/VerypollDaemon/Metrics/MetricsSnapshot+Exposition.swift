internal import VerypollServer

extension MetricsSnapshot {
    /// Returns all metrics as text; families without samples only if `describingAll` is set.
    func exposition(in format: MetricsFormat, describingAll: Bool = false) -> [UInt8] {
        var exposition = Exposition(format, describesAll: describingAll)
        write(to: &exposition)
        return exposition.finish()
    }

    /// Writes all metrics, family by family.
    func write(to writer: inout some MetricsWriter) {
        writeDaemon(to: &writer)
        writeReloads(to: &writer)
        writeListeners(to: &writer)
        writeEnds(to: &writer)
        writeRoutes(to: &writer)
        writeUpstreams(to: &writer)
        writeServices(to: &writer)
        writeWaits(to: &writer)
        writeServers(to: &writer)
        writeErrors(to: &writer)
        writeChecks(to: &writer)
        writeWorkers(to: &writer)
    }

    private func writeDaemon(to writer: inout some MetricsWriter) {
        writer.info("verypolld_build", "The version of the daemon.", build)
        let daemon: [Labeled<MetricsSnapshot>] = [([:], self)]
        writer.gauges(
            "process_start_time_seconds",
            "The start of the daemon, since 1970-01-01 UTC.",
            daemon
        ) { seconds($0.startedAt) }
        writer.counters(
            "process_cpu_seconds",
            "The CPU time that the daemon has used.",
            daemon
        ) { seconds($0.process.processorTime) }
        writer.gauges(
            "process_open_fds",
            "The file descriptors that are open.",
            daemon,
            \.process.openDescriptors
        )
        writer.gauges(
            "process_max_fds",
            "The most file descriptors that may be open.",
            daemon,
            \.process.descriptorLimit
        )
        writer.gauges(
            "verypolld_active_sessions",
            "The sessions that are open.",
            daemon,
            \.active
        )
        writer.gauges(
            "verypolld_max_sessions",
            "The most sessions that may be open.",
            daemon,
            \.maxSessions
        )
    }

    private func writeListeners(to writer: inout some MetricsWriter) {
        let all = listeners.map { (labels: ["listener": $0.name] as MetricLabels, element: $0) }
        func counters(_ name: String, _ help: String, _ value: (ListenerTally) -> UInt64) {
            writer.counters("verypolld_listener_" + name, help, all) { value($0.tally) }
        }
        counters("accepted", "The connections that became sessions.", \.accepted)
        counters("rejected", "The connections that were rejected because of a limit.", \.rejected)
        counters("denied", "The connections that access rules or PROXY headers rejected.", \.denied)
        counters("received_bytes", "The bytes received from clients.", \.bytesIn)
        counters("sent_bytes", "The bytes sent to clients.", \.bytesOut)
        writer.gauges(
            "verypolld_listener_active_sessions",
            "The sessions that are open.",
            all,
            \.active
        )
        writer.gauges(
            "verypolld_listener_max_sessions",
            "The most sessions that may be open.",
            all,
            \.maxSessions
        )
        writer.gauges(
            "verypolld_listener_paused",
            "1 while the listener leaves connections in the backlog, else 0.",
            all
        ) { $0.isPaused ? 1 : 0 }
        writer.histograms(
            "verypolld_listener_session_duration_seconds",
            "The durations of ended sessions.",
            all,
            \.tally.sessionTime
        )
    }

    private func writeUpstreams(to writer: inout some MetricsWriter) {
        let all = upstreams.map { (labels: ["upstream": $0.name] as MetricLabels, element: $0) }
        writer.gauges(
            "verypolld_upstream_active_sessions",
            "The sessions that are open.",
            all,
            \.active
        )
        writer.gauges(
            "verypolld_upstream_waiting_sessions",
            "Sessions in the queue, waiting for room in the upstream.",
            all,
            \.waiting
        )
        writer.gauges(
            "verypolld_upstream_max_sessions",
            "The most sessions that may be open.",
            all,
            \.maxSessions
        )
        let refusals = upstreams.flatMap { upstream in
            upstream.refusals.map { refusal in
                let labels: MetricLabels = [
                    "upstream": upstream.name, "reason": refusal.reason.rawValue,
                ]
                return (labels: labels, element: refusal.count)
            }
        }
        writer.counters(
            "verypolld_upstream_refused",
            "The clients that got no server.",
            refusals
        ) { $0 }
    }

    private func writeServers(to writer: inout some MetricsWriter) {
        let all = servers.map {
            (
                labels: ["upstream": $0.upstream, "server": $0.address] as MetricLabels,
                element: $0
            )
        }
        func counters(_ name: String, _ help: String, _ value: (Server) -> UInt64) {
            writer.counters("verypolld_server_" + name, help, all, value)
        }
        writer.gauges(
            "verypolld_server_up",
            "1 while the server gets sessions, else 0.",
            all
        ) { $0.isUp ? 1 : 0 }
        writer.gauges(
            "verypolld_server_active_sessions",
            "The sessions that are open.",
            all,
            \.active
        )
        counters("sessions", "The sessions that connected to the server.", \.sessions)
        counters("failures", "The sessions that could not connect to the server.", \.failures)
        counters("received_bytes", "The bytes received from the server.", \.bytesIn)
        counters("sent_bytes", "The bytes sent to the server.", \.bytesOut)
        writer.histograms(
            "verypolld_server_connect_duration_seconds",
            "The times to connect to the server.",
            all,
            \.connectTime
        )
    }

    private func writeWorkers(to writer: inout some MetricsWriter) {
        let all = workers.map { (labels: ["worker": "\($0.index)"] as MetricLabels, element: $0) }
        func counters(_ name: String, _ help: String, _ value: (WorkerTally) -> UInt64) {
            writer.counters("verypolld_worker_" + name, help, all) { value($0.tally) }
        }
        writer.gauges(
            "verypolld_worker_active_sessions",
            "The sessions that the worker serves.",
            all,
            \.tally.sessions
        )
        counters("polls", "How often the worker has waited for events.", \.polls)
        counters("events", "The events that the worker has received.", \.events)
        counters("wakeups", "How often another thread has woken the worker.", \.wakeUps)
        writer.counters(
            "verypolld_worker_busy_seconds",
            "The time that the worker has spent working, not waiting.",
            all
        ) { seconds($0.tally.busy / 1_000) }
    }
}
