internal import Logging
internal import StrictJSON
internal import SystemPackage
internal import Systemd
internal import Varlink
internal import Verypoll
internal import VerypollConfiguration
internal import VerypollControl
internal import VerypollServer

extension Supervisor {
    /// Continues a reload, or starts one that was requested.
    ///
    /// A reload waits until all workers have adopted earlier snapshots. Only then is it known which
    /// slots are free.
    func reloadIfDue(_ now: ContinuousClock.Instant) {
        if reload.abandonIfLate(now: now) {
            refuseReload(
                "can't be read: the file system has not answered within 10 s; check whether it"
                    + " hangs (the daemon keeps its present configuration)"
            )
        }
        if rollouts.isEmpty, let outcome = reload.takeOutcome() {
            finish(outcome)
        }
        guard lifecycle.isRunning, reload.isDue, !reload.isBusy, rollouts.isEmpty else { return }
        reload.begin()
        manager.reloading("reloading; " + summary)
        guard reload.mayRead else {
            return refuseReload(
                "can't be read: \(reload.hangCount) earlier attempts to read it still hang;"
                    + " repair the file system, or move the file to another one"
            )
        }
        do throws(Errno) {
            let reading = try ConfigurationReading(
                after: loaded,
                descriptors: workers.descriptors,
                supervisor: inbox.mailbox
            )
            reload.begin(reading, now: now)
        } catch {
            refuseReload("can't be read: the daemon cannot start a thread: \(error)")
        }
    }

    /// Applies the configuration that was read, or refuses the reload.
    private func finish(_ outcome: ConfigurationReading.Outcome) {
        guard lifecycle.isRunning else { return refuseReload("the daemon is stopping") }
        do throws(ConfigurationError) {
            let changes = try goOver(to: try outcome.get())
            rollOut(.reload(changes), for: reload.takeCallers())
        } catch {
            refuse(error)
        }
    }

    /// Applies another configuration as a whole, or not at all.
    private func goOver(to read: NextConfiguration) throws(ConfigurationError) -> ChangeList {
        let next = read.loaded
        let former = loaded.configuration
        let configuration = next.configuration
        var candidate = live
        var none = ActivatedSockets([])
        let exchange = SocketExchange(live.handoffStore, logger: logger)
        do throws(ListenerError) {
            try candidate.change(to: configuration, exchange: exchange, activated: &none)
            try candidate.applyFileAccess(after: live)
            try exchange.commit()
        } catch {
            let listener = configuration.listeners.first { $0.name == error.listener }
            let problem = ConfigurationProblem(
                file: next.path ?? "the built-in default",
                position: listener?.position.value,
                pointer: JSONPointer(["listeners", error.listener] + error.keys).description,
                message: "\(error.address): \(error.reason)"
            )
            throw ConfigurationError(problems: [problem])
        }
        // Nothing can fail from here on.
        let leaving = candidate.serversLeft(by: live)
        for index in leaving { live.snapshot.upstreams[index].isRemoved = true }
        let changed = candidate.listenersChanged(from: live)
        live = candidate
        loaded = next
        live.applyLimits()
        applySocketOptions(of: changed)
        workers.totalLimiter.limit = configuration.limits.maxSessions
        handoff.keepsSessions = configuration.restart.keepSessions
        upstreamMonitor.adopt(live.snapshot.upstreams, slots: live.upstreams.map(\.slot))
        if options.logLevel == nil, configuration.log.level != former.log.level {
            setLogLevel(configuration.log.level)
        }
        for server in leaving {
            workers.post(.serverDown(upstream: server.upstream, server: server.server))
        }
        return ChangeList(changes: read.changes)
    }

    /// Sets the options of kept sockets that can be changed while they are open.
    private func applySocketOptions(of listeners: [LiveListener]) {
        for entry in listeners {
            for socket in entry.sockets {
                do throws(Errno) {
                    try socket.apply(entry.configuration)
                } catch {
                    logger.error(
                        "cannot set the options of a socket: \(error)",
                        metadata: ["listener": "\(entry.name)", "address": "\(socket.address)"]
                    )
                }
            }
        }
    }

    // MARK: Rollouts

    /// Sends the live snapshot to the workers.
    func rollOut(_ purpose: Rollout.Purpose, for callers: [CallID] = []) {
        rollouts.begin(
            live.snapshot.number,
            workers: workers.count,
            purpose: purpose,
            callers: callers
        )
        workers.post(.adopt(live.snapshot))
    }

    /// Notes that a worker has adopted a snapshot, and answers the callers once all workers have.
    func finishRollout(of snapshot: Int) {
        guard let rollout = rollouts.noteAdoption(of: snapshot) else { return }
        switch rollout.purpose {
        case .order:
            for callID in rollout.callers {
                control.complete(callID, with: Result<_, VarlinkError>.success(NoParameters()))
            }
        case .reload(let changes): finishReload(changes, for: rollout.callers)
        case .idleExit: idle.isClosed = true
        }
    }

    /// The time at which the next retiring sockets close; `nil` if there are none, or while no
    /// snapshot can be sent.
    var retirementDueAt: ContinuousClock.Instant? {
        guard rollouts.isEmpty, lifecycle.isRunning else { return nil }
        return live.retirementEndsAt
    }

    /// Makes the workers close the sockets whose retirement has ended.
    func endRetirement(_ now: ContinuousClock.Instant) {
        guard let due = retirementDueAt, due <= now else { return }
        live.endRetirement(now: now)
        rollOut(.order)
    }

    // MARK: Answers

    /// Reports that another configuration is in effect.
    private func finishReload(_ changes: ChangeList, for callers: [CallID]) {
        reload.refusal = nil
        noteReload(.success(changes.changes))
        logger.notice(
            .reloaded,
            "the configuration is reloaded",
            metadata: [
                "configuration": "\(loaded.path ?? "built-in default")",
                "changes": "\(changes.changes.count + (changes.omitted ?? 0))",
            ]
        )
        manager.ready(summary)
        for callID in callers {
            control.complete(callID, with: Result<_, VarlinkError>.success(changes))
        }
    }

    /// Reports why the configuration was not changed.
    private func refuse(_ error: ConfigurationError) {
        for problem in error.problems { logger.error(.reloadRefused, "\(problem)") }
        noteReload(.failure(error))
        if let omitted = error.omittedText {
            logger.error(.reloadRefused, "\(loaded.nextPath): \(omitted)")
        }
        let first = error.problems.first?.description ?? ""
        let others = error.problems.count + error.omittedCount - 1
        reload.refusal =
            "reload refused: \(first)" + (others > 0 ? ", and \(others) more" : "")
        if lifecycle.isRunning {
            manager.ready(summary)
        }
        let failure = VarlinkError.reloadFailed(error.reported, omitted: error.omittedCount)
        for callID in reload.takeCallers() {
            control.complete(callID, with: Result<ChangeList, VarlinkError>.failure(failure))
        }
    }

    /// Refuses a reload for a reason that concerns the whole file.
    private func refuseReload(_ reason: String) {
        refuse(ConfigurationError(file: loaded.nextPath, reason))
    }
}
