internal import Console
internal import StrictJSON

// Checks that need the whole configuration.

extension Configuration {
    /// Reports settings that contradict each other or the limit of file descriptors.
    package func check(descriptorLimit: Int, reportingTo problems: ProblemList) {
        checkUpstreams(problems)
        checkExitOnIdle(problems)
        checkLimits(descriptorLimit: descriptorLimit, problems)
    }

    private func checkUpstreams(_ problems: ProblemList) {
        let names = upstreams.map(\.name)
        let known = Set(names)
        for listener in listeners {
            for (upstream, pointer) in listener.upstreams where !known.contains(upstream) {
                problems.report(
                    pointer,
                    "no upstream is named \(upstream.quoted)"
                        + problems.suggestions.question(for: upstream, among: names)
                )
            }
        }
        checkHashKeys(problems)
        for finding in UpstreamCircles.find(listeners, upstreams) {
            problems.report(
                JSONPointer(["upstreams", finding.upstream, "servers"]),
                "\(finding.server) is the daemon's own listener \(finding.listener.quoted), which"
                    + " leads back to this upstream; use another server"
            )
        }
    }

    /// Reports upstreams that choose by the names of TLS clients, but get clients from a listener
    /// that does not read these.
    ///
    /// A client that sends no name to a listener with inspection is chosen for by its source.
    private func checkHashKeys(_ problems: ProblemList) {
        let byName = Set(upstreams.filter { $0.hashKey == .serverName }.map(\.name))
        for listener in listeners {
            guard let routing = listener.handler.routing, routing.inspection == .off,
                let upstream = routing.upstream, byName.contains(upstream)
            else { continue }
            problems.report(
                JSONPointer(["upstreams", upstream, "hashKey"]),
                "\"serverName\" requires listeners that inspect TLS, but the listener"
                    + " \(listener.name.quoted) proxies to this upstream without inspection; add"
                    + " \"inspect\": \"tls\" to its handler, or use another hashKey or upstream"
            )
        }
    }

    /// Reports listeners that systemd does not open: after an idle exit, only systemd can start the
    /// daemon again.
    private func checkExitOnIdle(_ problems: ProblemList) {
        guard exitOnIdle != nil else { return }
        for listener in listeners {
            let own = listener.addresses.first { address in
                if case .systemd = address { false } else { true }
            }
            guard let own else { continue }
            problems.report(
                JSONPointer(["exitOnIdle"]),
                "requires that systemd opens all sockets, but the listener"
                    + " \(listener.name.quoted) has \(own); write \"off\", or use a systemd:"
                    + " address"
            )
            return
        }
    }

    private func checkLimits(descriptorLimit: Int, _ problems: ProblemList) {
        let budget = Limits.sessionBudget(
            descriptorLimit: descriptorLimit,
            workers: workers,
            listeners: listeners,
            upstreams: upstreams
        )
        let limit = JSONPointer(["limits", "maxSessions"])
        let remedy = "raise it with LimitNOFILE= in the unit or with ulimit -n"
        let descriptors = "the limit of \(descriptorLimit) file descriptors"
        if budget == 0 {
            problems.report(limit, "\(descriptors) leaves none for sessions; \(remedy)")
            return
        }
        let pointers = listeners.compactMap { listener in
            listener.maxSessions.map { ($0, listener.pointer / "maxSessions") }
        }
        for (count, pointer) in [(limits.maxSessions, limit)] + pointers {
            if count > budget {
                problems.report(
                    pointer,
                    "\(descriptors) allows \(budget) sessions, not \(count); \(remedy), or lower"
                        + " this value"
                )
            } else if count > limits.maxSessions {
                problems.report(
                    pointer,
                    "the daemon's limit is \(limits.maxSessions) sessions, not \(count); raise"
                        + " \(limit), or lower this value"
                )
            }
        }
    }
}

extension ListenerConfiguration {
    /// The listener's JSON pointer in the file.
    var pointer: JSONPointer { JSONPointer(["listeners", name]) }

    /// The names of the upstreams that the handler names, and their places in the file.
    fileprivate var upstreams: [(name: String, pointer: JSONPointer)] {
        guard let routing = handler.routing else { return [] }
        let handler = pointer / "handler"
        let others = [(routing.upstream, "upstream"), (routing.notTLS, "notTLS")]
        return routing.routes.map { ($0.upstream, handler / "routes" / $0.name / "upstream") }
            + others.compactMap { name, key in name.map { ($0, handler / key) } }
    }
}
