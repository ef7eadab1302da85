#if Net && OSExt
internal import Glibc
internal import Logging
internal import SystemPackage
internal import Varlink
internal import VerypollControl

extension Supervisor: ControlHandler {
    func status() -> Status {
        let active = totalGate.active  // Before the tallies, which know all that has left.
        let tally = served.indices.map(self.tally).reduce(ListenerTally(), +)
        return Status(
            version: Release.version,
            pid: Int(getpid()),
            startTimestampUSec: startedAt,
            configurationPath: loaded.path,
            logLevel: logLevel.rawValue,
            state: phase.state,
            drainDeadlineTimestampUSec: nil,
            note: note,
            listeners: listeners(),
            upstreams: upstreams(),
            workers: workers.counters.enumerated().map { index, counters in
                let tally = counters.tally
                return Status.Worker(
                    index: index,
                    sessions: Int(tally.sessions),
                    polls: Int(tally.polls),
                    events: Int(tally.events),
                    wakeUps: Int(tally.wakeUps),
                    busyShare: busyShares.values[index]
                )
            },
            totals: Status.Totals(
                active: active,
                maxSessions: totalGate.limit,
                accepted: Int(tally.accepted),
                rejected: Int(tally.rejected),
                bytesIn: Int(tally.bytesIn),
                bytesOut: Int(tally.bytesOut)
            )
        )
    }

    func listeners() -> [Status.Listener] {
        served.indices.map(status(ofListener:)).sorted { $0.name < $1.name }
    }

    func upstreams() -> [Status.Upstream] {
        upstreamWatch.status()
    }

    func sessions(
        matching query: SessionQuery,
        ticket: ControlTicket
    ) throws(VarlinkError) -> ControlAnswer<SessionList> {
        var index: Int?
        if let name = query.listener {
            index = served.firstIndex { $0.name == name }
            if index == nil { throw .listenerNotFound(name) }
        }
        let upstreams = upstreamWatch.upstreams
        if let name = query.upstream, !upstreams.contains(where: { $0.name == name }) {
            throw .upstreamNotFound(name)
        }
        let limit = query.effectiveLimit
        let number = questions.addListing(for: ticket, limit: limit, workers: workers.count)
        let filter = SessionFilter(
            listener: index,
            upstream: query.upstream,
            peer: query.peer,
            limit: limit
        )
        workers.post(.listSessions(filter, ticket: number))
        return .later
    }

    func session(
        _ id: Int,
        ticket: ControlTicket
    ) throws(VarlinkError) -> ControlAnswer<SessionAnswer> {
        let mailbox = try mailbox(forSession: id)
        let number = questions.add(id, for: ticket)
        mailbox.post(.showSession(id: UInt64(id), ticket: number))
        return .later
    }

    func killSession(
        _ id: Int,
        ticket: ControlTicket
    ) throws(VarlinkError) -> ControlAnswer<NoParameters> {
        let mailbox = try mailbox(forSession: id)
        let number = questions.add(id, for: ticket)
        mailbox.post(.killSession(id: UInt64(id), ticket: number))
        return .later
    }

    /// Answers a call once the workers have said all.
    func complete<Value: Encodable>(_ answer: Questions.Answer<Value>?) {
        if let answer { control.complete(answer.ticket, with: answer.result) }
    }

    /// The mailbox of the worker that has a session, if it is open.
    private func mailbox(forSession id: Int) throws(VarlinkError) -> Mailbox<WorkerMessage> {
        guard id > 0 else { throw .sessionNotFound(id) }
        // The numbers tell the worker; see `Worker.nextSessionID`.
        return workers.mailboxes[(id - 1) % workers.count]
    }

    func metrics() -> MetricsText {
        let text = metricsSnapshot().exposition(in: .openMetrics)
        return MetricsText(text: String(decoding: text, as: UTF8.self))
    }

    /// The state in one line, as systemctl(1) shows it: `2 listeners, 14 sessions`.
    var summary: String {
        let sessions = totalGate.active
        let prefix = if case .draining = phase { "draining, " } else { "" }
        let text =
            "\(served.count) listener\(served.count == 1 ? "" : "s"), "
            + "\(sessions) session\(sessions == 1 ? "" : "s")"
        return prefix + text + (note.map { "; " + $0 } ?? "")
    }

    /// What an operator should know.
    private var note: String? {
        let pauses = served.indices.compactMap { index in
            pauseDescription(ofListener: index).map { "\(served[index].name) paused: \($0)" }
        }
        let notes = pauses + upstreamWatch.notes
        return notes.isEmpty ? nil : notes.joined(separator: "; ")
    }

    private func status(ofListener index: Int) -> Status.Listener {
        let listener = served[index]
        let active = listener.gate.active  // As above.
        let tally = tally(ofListener: index)
        let reason = pauseDescription(ofListener: index)
        let state: Status.Listener.State =
            switch phase {
            case .starting, .running: reason == nil ? .accepting : .paused
            case .draining: .draining
            case .stopping: .closed
            }
        return Status.Listener(
            name: listener.name,
            addresses: listener.addresses,
            handler: listener.service.rawValue,
            state: state,
            stateReason: reason,
            drainDeadlineTimestampUSec: nil,
            active: active,
            maxSessions: listener.maxSessions,
            accepted: Int(tally.accepted),
            rejected: Int(tally.rejected),
            bytesIn: Int(tally.bytesIn),
            bytesOut: Int(tally.bytesOut)
        )
    }

    func tally(ofListener index: Int) -> ListenerTally {
        workers.listenerCounters[index].map(\.tally).reduce(ListenerTally(), +)
    }

    /// Why a worker does not accept on a listener at present, or `nil` if all do.
    func pauseDescription(ofListener index: Int) -> String? {
        guard case .running = phase else { return nil }
        let reasons = workers.listenerCounters[index].map(\.pauseReason)
        let reason = reasons.first { $0 != .none }
        let listener = served[index]
        return reason?.description(limit: listener.gate.limit, total: totalGate.limit)
    }
}

extension Supervisor.Phase {
    fileprivate var state: Status.State {
        switch self {
        case .starting: .starting
        case .running: .running
        case .draining: .draining
        case .stopping: .stopping
        }
    }
}
#endif
