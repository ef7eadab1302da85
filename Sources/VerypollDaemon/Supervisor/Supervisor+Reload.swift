#if Net && OSExt
internal import Logging
internal import SystemPackage
internal import Systemd
internal import Varlink
internal import Verypoll
internal import VerypollControl

extension Supervisor {
    /// Reads the configuration anew and goes over to it, if somebody has asked for that.
    ///
    /// All who asked hear the same. While a plan is on its way to the workers they wait, as one can
    /// tell only then which slots of the last one are free.
    func reloadIfDue() {
        guard isReloadDue, rollouts.isEmpty, case .running = phase else { return }
        isReloadDue = false
        let callers = reloadCallers
        reloadCallers = []
        tell { () throws(Errno) in try notifier.reloading(status: "reloading; " + summary) }
        // The file is read with what the reserve has, should there be no other descriptor.
        while descriptors.lend(for: .upkeep) {}
        defer { descriptors.refill() }
        do throws(ConfigurationError) {
            let changes = try goOver(to: try loaded.next())
            rollOut(.reload(changes), for: callers)
        } catch {
            refuse(error, for: callers)
        }
    }

    /// Goes over to another configuration as a whole, or not at all.
    private func goOver(to next: LoadedConfiguration) throws(ConfigurationError) -> ChangeList {
        let former = loaded.configuration
        let configuration = next.configuration
        let changes = former.changes(to: configuration)
        var candidate = roster
        var none = ActivatedSockets([])
        do throws(ListenerError) {
            try candidate.change(to: configuration, passed: &none)
            try candidate.applyFileAccess(after: roster)
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
        let leaving = candidate.serversLeft(by: roster)
        let changed = candidate.listenersChanged(from: roster)
        roster = candidate
        loaded = next
        roster.applyLimits()
        applySocketOptions(of: changed)
        totalGate.limit = configuration.limits.maxSessions
        restart.keepsSessions = configuration.restart.keepSessions
        upstreamWatch.adopt(roster.plan.upstreams, slots: roster.pools.map(\.slot))
        if options.logLevel == nil, configuration.log.level != former.log.level {
            setLogLevel(configuration.log.level)
        }
        for server in leaving {
            workers.post(.serverDown(upstream: server.upstream, server: server.server))
        }
        return ChangeList(changes: changes)
    }

    /// Gives the sockets that stay the options that can be changed.
    private func applySocketOptions(of listeners: [Roster.Served]) {
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

    /// Says that another configuration is in effect.
    func finishReload(_ changes: ChangeList, for callers: [ControlTicket]) {
        refusal = nil
        noteReload(.success(changes.changes))
        logger.notice(
            .reloaded,
            "the configuration is reloaded",
            metadata: [
                "configuration": "\(loaded.path ?? "built-in default")",
                "changes": "\(changes.changes.count)",
            ]
        )
        statusLine = summary
        tell { () throws(Errno) in try notifier.ready(status: statusLine) }
        for ticket in callers {
            control.complete(ticket, with: Result<_, VarlinkError>.success(changes))
        }
    }

    /// Says why the configuration stays as it was.
    private func refuse(_ error: ConfigurationError, for callers: [ControlTicket]) {
        for problem in error.problems { logger.error(.reloadRefused, "\(problem)") }
        let first = error.problems.first?.description ?? ""
        let others = error.problems.count - 1
        noteReload(.failure(error))
        refusal =
            "reload refused: \(first)" + (others > 0 ? ", and \(others) more" : "")
        statusLine = summary
        tell { () throws(Errno) in try notifier.ready(status: statusLine) }
        for ticket in callers {
            let answer = Result<ChangeList, VarlinkError>.failure(.reloadFailed(error.reported))
            control.complete(ticket, with: answer)
        }
    }
}
#endif
