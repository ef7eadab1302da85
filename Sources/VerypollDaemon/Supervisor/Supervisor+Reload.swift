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
        guard changes.current == nil, changes.rollouts.isEmpty else { return }
        if let outcome = reload.takeOutcome() { return finish(outcome) }
        guard lifecycle.isRunning, reload.isDue, !reload.isBusy else { return }
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
            let next = try outcome.get()
            make(.reload(next, effective: discovery.effective(next.loaded.configuration)))
        } catch {
            refuse(error)
        }
    }

    /// Makes a change on another thread, which then reports the outcome.
    func make(_ change: LiveChange) {
        changes.begin(change)
        let box = TransferBox(live)
        onThread("sockets") { [logger, mailbox = inbox.mailbox] in
            // The former sockets must not be referred to here when the outcome is handled.
            let outcome = box.take().map { change.outcome(from: $0, logger: logger) }
            // One change is made at a time.
            if let outcome { mailbox.postBeyondLimit(.liveChanged(outcome)) }
        }
    }

    /// Puts a change into effect, and carries out the orders that have waited for it.
    func finishChange(_ outcome: LiveChange.Outcome) {
        let (change, orders) = changes.end()
        switch change {
        case .reload(let next, _): finishReload(outcome, next)
        case .resume(let listener, _, let request): finishResume(outcome, of: listener, request)
        case nil: break
        }
        for order in orders { takeHeld(order) }
    }

    /// Puts another configuration into effect, or refuses the reload.
    private func finishReload(_ outcome: LiveChange.Outcome, _ read: NextConfiguration) {
        let next = read.loaded
        let configuration = next.configuration
        guard lifecycle.isRunning else { return refuseReload("the daemon is stopping") }
        let candidate: LiveConfiguration
        do throws(ListenerError) {
            candidate = try outcome.get()
        } catch {
            let listener = configuration.listeners.first { $0.name == error.listener }
            let problem = ConfigurationProblem(
                file: next.path(of: listener?.position.value) ?? "the built-in default",
                position: listener?.position.value,
                pointer: JSONPointer(["listeners", error.listener] + error.keys).description,
                message: "\(error.address): \(error.reason)"
            )
            return refuse(ConfigurationError(problems: [problem]))
        }
        let former = loaded.configuration
        let leaving = candidate.serversLeft(by: live)
        for index in leaving { live.snapshot.upstreams[index].isRemoved = true }
        live = candidate
        loaded = next
        configurationHash = read.hash
        discovery.adopt(configuration, now: .now)
        let returning = live.returningServers
        live.applyLimits()
        let ordered = applyOrders(configuration)
        workers.totalLimiter.limit = configuration.limits.maxSessions
        handoff.keepsSessions = configuration.restart.keepSessions
        upstreamMonitor.adopt(live.snapshot.upstreams, slots: live.upstreams.map(\.slot))
        if options.logLevel == nil, configuration.log.level != former.log.level {
            setLogLevel(configuration.log.level)
        }
        logFormat.isJSON = configuration.log.format == .json
        if !leaving.isEmpty { workers.post(.serversDown(Set(leaving))) }
        if !returning.isEmpty { workers.post(.serversUp(returning)) }
        for (server, former) in ordered { tellOfOrder(server, former: former) }
        rollOut(.reload(ChangeList(changes: read.changes)), for: reload.takeCallers())
    }

    // MARK: Rollouts

    /// Sends the live snapshot to the workers.
    func rollOut(_ purpose: Rollout.Purpose, for callers: [CallID] = []) {
        changes.rollouts.begin(
            live.snapshot.number,
            workers: workers.count,
            purpose: purpose,
            callers: callers,
            leavingSockets: live.takeLeavingSockets()
        )
        workers.post(.adopt(live.snapshot))
    }

    /// Performs the next step of a rollout: in the end, the callers are answered.
    func perform(_ step: Rollouts.Step, of snapshot: Int) {
        switch step {
        case .wait: break
        case .release(let sockets): release(sockets, of: snapshot)
        case .finish(let rollout): finish(rollout)
        }
    }

    /// Releases sockets on another thread, because closing thousands of them takes long.
    private func release(_ sockets: consuming [ListeningSocket], of snapshot: Int) {
        let box = TransferBox(sockets)
        onThread("sockets") { [mailbox = inbox.mailbox] in
            _ = box.take()
            // Each rollout releases sockets at most once.
            mailbox.postBeyondLimit(.socketsReleased(snapshot: snapshot))
        }
    }

    private func finish(_ rollout: Rollout) {
        switch rollout.purpose {
        case .order:
            for callID in rollout.callers {
                control.complete(callID, with: Result<_, VarlinkError>.success(NoParameters()))
            }
        case .reload(let changes): finishReload(changes, for: rollout.callers)
        case .discovery: break
        case .idleExit: idle.isClosed = true
        }
    }

    /// The time at which the next retiring sockets close; `nil` if there are none, or while no
    /// snapshot can be sent.
    var retirementDueAt: ContinuousClock.Instant? {
        guard changes.rollouts.isEmpty, changes.current == nil, lifecycle.isRunning else {
            return nil
        }
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
        let caller = reload.requester
        let count = changes.changes.count + (changes.omitted ?? 0)
        reloadHistory.noteApplied(changes: count, at: WallClock.microseconds())
        updateHistory()
        noteReload(.success(changes.changes), by: caller)
        logger.notice(
            .reloaded,
            "the configuration is reloaded\(caller.suffix)",
            metadata: [
                "configuration": "\(loaded.path ?? "built-in default")",
                "changes": .number(count),
            ].by(caller)
        )
        manager.ready(summary)
        for callID in callers {
            control.complete(callID, with: Result<_, VarlinkError>.success(changes))
        }
    }

    /// Reports why the configuration was not changed.
    private func refuse(_ error: ConfigurationError) {
        let caller = reload.requester
        for problem in error.problems {
            logger.error(.reloadRefused, "\(problem)", metadata: [:].by(caller))
        }
        let count = error.problems.count + error.omittedCount
        reloadHistory.noteRefused(problems: count, at: WallClock.microseconds())
        noteReload(.failure(error), by: caller)
        if let omitted = error.omittedText {
            logger.error(
                .reloadRefused,
                "\(loaded.nextPath): \(omitted)",
                metadata: [:].by(caller)
            )
        }
        let first = error.problems.first?.description ?? ""
        reload.refusal =
            "reload refused: \(first)" + (count > 1 ? ", and \(count - 1) more" : "")
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
