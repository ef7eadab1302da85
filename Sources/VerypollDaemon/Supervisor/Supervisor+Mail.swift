internal import SystemPackage
internal import Systemd
internal import Varlink
internal import Verypoll
internal import VerypollConfiguration
internal import VerypollControl
internal import VerypollServer

extension Supervisor {
    /// Handles the messages of other threads.
    func handleMail() {
        for message in inbox.mailbox.takeAll() {
            switch message {
            case .controlJob(let result): finish(result)
            case .configurationRead(let outcome): reload.finishReading(outcome)
            case .serviceAnswered(let question, let result): noteAnswer(result, to: question)
            case .readingEnded: reload.endHang()
            case .liveChanged(let outcome): finishChange(outcome)
            case .socketsReleased(let snapshot):
                perform(changes.rollouts.noteRelease(of: snapshot), of: snapshot)
            case .reportWritten(let report, let time): finish(report, took: time)
            }
        }
    }

    /// Handles the reports of the workers.
    func handleReports() throws {
        // The workers that wait for metrics, by the format that they requested.
        var metricsAskers: [MetricsFormat: [Int]] = [:]
        for report in inbox.reports.takeAll() {
            switch report {
            case .prepared: try perform(lifecycle.notePrepared())
            case .started: try perform(lifecycle.noteStarted())
            case .empty: try perform(lifecycle.noteEmpty())
            case .ended: try perform(lifecycle.noteEnded())
            case .failed(let error):
                throw LaunchError(description: "a worker failed: \(error)")
            case .pong(let worker): manager.noteAnswer(of: worker)
            case .adopted(let snapshot):
                perform(changes.rollouts.noteAdoption(of: snapshot), of: snapshot)
            case .sessions(let sessions, let isTruncated, let callID):
                let all = sessions.map { Status.Session($0) }
                control.complete(control.pendingCalls.add(all, isTruncated, to: callID))
            case .session(let session, let callID):
                let shown = session.map { Status.Session($0) }
                control.complete(control.pendingCalls.finish(callID, session: shown))
            case .killed(let session, let number): finishKill(number, of: session)
            case .killedSessions(let count, let number): finishKill(number, count: count)
            case .restored(let outcome): handoff.note(outcome)
            case .packing(let worker, let ids): handoff.noteSessions(ids, of: worker)
            case .packed(let bundle): handoff.add(bundle)
            case .handedOff(let closedCount): handoff.noteClosed(closedCount)
            case .serverChanged(let server, let change, let timestamp):
                upstreamMonitor.note(change, of: server, at: timestamp)
            case .writeReport(.metrics(let format), let worker):
                metricsAskers[format, default: []].append(worker)
            case .writeReport(let kind, let worker): answer(kind, to: worker)
            }
        }
        answer(metricsAskers)
    }

    // MARK: Metrics

    /// Writes the metrics for all workers that requested them in this turn, once per format.
    ///
    /// The text of thousands of listeners takes long, so a thread writes it. A worker requests a
    /// format again only after it was answered, which limits the number of threads.
    private func answer(_ askers: [MetricsFormat: [Int]]) {
        guard !askers.isEmpty else { return }
        let snapshot = metricsSnapshot()
        onThread("metrics") { [mailboxes = workers.mailboxes] in
            for (format, workers) in askers {
                let text = snapshot.exposition(in: format)
                let report = Report(.metrics(format), body: text)
                for worker in workers { mailboxes[worker].post(.report(report)) }
            }
        }
    }

    /// Runs long work on a thread of its own, or at once if no thread can be started.
    func onThread(_ name: String, _ work: @escaping @Sendable () -> Void) {
        do throws(Errno) {
            try Thread(name: name, work).detach()
        } catch {
            work()
        }
    }

    /// Returns all metrics at this moment.
    func metricsSnapshot() -> MetricsSnapshot {
        let now = MonotonicClock.nanoseconds() / 1_000_000
        return MetricsSnapshot(
            version: Release.version,
            startedAt: UInt64(startedAt),
            process: .current(),
            reloads: MetricsSnapshot.Reloads(
                appliedCount: reloadHistory.appliedCount,
                refusedCount: reloadHistory.refusedCount,
                isLastApplied: reloadHistory.isLastApplied,
                lastAt: UInt64(reloadHistory.lastAt),
                appliedAt: UInt64(reloadHistory.appliedAt),
                hash: configurationHash
            ),
            active: workers.totalLimiter.active,
            maxSessions: workers.totalLimiter.limit,
            listeners: live.listeners.map { entry in
                let listener = live.listener(of: entry)
                var metrics = MetricsSnapshot.Listener(
                    name: entry.name,
                    active: listener.limiter.active,
                    maxSessions: entry.configuration.maxSessions,
                    isPaused: pauseDescription(of: entry) != nil,
                    tally: live.tally(of: entry),
                    endCodes: listener.endCodes
                )
                if let router = listener.router { metrics.take(router) }
                return metrics
            },
            upstreams: upstreamMonitor.current.map(MetricsSnapshot.Upstream.init),
            services: serviceMetrics(),
            servers: upstreamMonitor.current.flatMap { upstream in
                upstream.listedServers.map { MetricsSnapshot.Server($0, of: upstream, now: now) }
            },
            workers: workers.counters.enumerated().map { index, counters in
                MetricsSnapshot.Worker(index: index, tally: counters.tally)
            }
        )
    }
}
