internal import FoundationEssentials
internal import VerypollControl

/// A condition that needs the attention of an operator.
struct StatusWarning: Encodable, Hashable {
    /// The kind of a condition, for programs.
    enum Kind: String, CaseIterable, Encodable {
        case reloadRefused
        case configurationNewer
        case changeLate
        case upstreamUnavailable
        case serverDown
        case serverEjected
        case serverUnresolved
        case discoveryFailing
        case sessionsWaiting
        case limitNear
        case listenerPaused
        case notAccepting
    }

    let kind: Kind
    let text: String

    /// The share of a limit, in percent, from which on a limit needs attention.
    static let limitPercent = 90

    /// The most servers that a warning names.
    private static let namedServers = 3

    /// Returns the conditions of a daemon, the most urgent ones first.
    ///
    /// - Parameters:
    ///   - status: The status of the daemon.
    ///   - fileTime: The time of the last change of the configuration's files, in microseconds
    ///     since 1970-01-01 UTC; `nil` if it is not known.
    ///   - now: The current time, in the same unit.
    /// - Returns: The conditions; none if all is well.
    static func all(of status: Status, fileTime: Int?, now: Int) -> [StatusWarning] {
        configuration(of: status, fileTime: fileTime, now: now)
            + status.upstreams.flatMap(warnings(of:))
            + status.upstreams.flatMap { discovery(of: $0, now: now) }
            + closures(of: status)
            + limits(of: status)
    }

    /// Returns the time of the last change of a configuration's files, in microseconds since
    /// 1970-01-01 UTC; `nil` if none can be read.
    static func modificationTime(of status: Status) -> Int? {
        // Earlier daemons report only the path of the file that includes the others.
        let files = status.configurationFiles ?? [status.configurationPath].compactMap { $0 }
        return files.compactMap(modificationTime(ofFile:)).max()
    }

    /// Returns the time of the last change of a file, or of the file to which a link leads.
    private static func modificationTime(ofFile path: String) -> Int? {
        let target = URL(filePath: path).resolvingSymlinksInPath().path(percentEncoded: false)
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: target),
            let date = attributes[.modificationDate] as? Date
        else { return nil }
        return Int(date.timeIntervalSince1970 * 1_000_000)
    }

    // MARK: Clients that are not accepted

    private static func closures(of status: Status) -> [StatusWarning] {
        guard status.state == .running else {
            let text = "the daemon is \(status.state.rawValue)"
            return [StatusWarning(kind: .notAccepting, text: text)]
        }
        return status.listeners.compactMap { listener in
            guard listener.state != .accepting else { return nil }
            let reason = listener.stateReason.map { ": \($0)" } ?? ""
            return StatusWarning(
                kind: listener.state == .paused ? .listenerPaused : .notAccepting,
                text: "listener \(listener.name) is \(listener.state.rawValue)\(reason)"
            )
        }
    }

    // MARK: The configuration

    private static func configuration(
        of status: Status,
        fileTime: Int?,
        now: Int
    ) -> [StatusWarning] {
        var warnings: [StatusWarning] = []
        if let reload = status.lastReload, !reload.applied {
            let age = formatSpan(microseconds: now - reload.timestampUSec)
            let problems = count(reload.problems ?? 0, "problem")
            warnings.append(
                StatusWarning(
                    kind: .reloadRefused,
                    text: "the last reload was refused \(age) ago: \(problems)"
                        + " (see: verypollctl config check)"
                )
            )
        } else if let read = status.configurationReadTimestampUSec, let fileTime, fileTime > read {
            let age = formatSpan(microseconds: now - fileTime)
            warnings.append(
                StatusWarning(
                    kind: .configurationNewer,
                    text: "a configuration file was changed \(age) ago and is not reloaded"
                        + " (see: verypollctl config diff)"
                )
            )
        }
        if let change = status.lateChange {
            warnings.append(StatusWarning(kind: .changeLate, text: change))
        }
        return warnings
    }

    // MARK: Upstreams

    private static func warnings(of upstream: Status.Upstream) -> [StatusWarning] {
        let servers = upstream.servers
        var warnings: [StatusWarning] = []
        if !servers.contains(where: { $0.mode == .up && !isUnavailable($0) }) {
            warnings.append(
                StatusWarning(
                    kind: .upstreamUnavailable,
                    text: "upstream \(upstream.name): no server is available"
                )
            )
        }
        let states: [(Kind, Status.Server.State)] = [
            (.serverDown, .down), (.serverUnresolved, .unresolved), (.serverEjected, .ejected),
        ]
        for (kind, state) in states {
            // The others are out of service because an operator wants them to be.
            let affected = servers.filter { $0.state == state && $0.mode == .up }
            guard !affected.isEmpty else { continue }
            let names = affected.prefix(namedServers).map(\.address).joined(separator: ", ")
            let others = affected.count - namedServers
            let rest = others > 0 ? " and \(others) more" : ""
            warnings.append(
                StatusWarning(
                    kind: kind,
                    text: "upstream \(upstream.name): \(affected.count) of \(servers.count) servers"
                        + " \(state.rawValue): \(names)\(rest)"
                )
            )
        }
        if upstream.waiting > 0 {
            let verb = upstream.waiting == 1 ? "waits" : "wait"
            warnings.append(
                StatusWarning(
                    kind: .sessionsWaiting,
                    text: "upstream \(upstream.name): \(count(upstream.waiting, "session")) \(verb)"
                        + " for room"
                )
            )
        }
        return warnings
    }

    private static func discovery(of upstream: Status.Upstream, now: Int) -> [StatusWarning] {
        (upstream.services ?? []).compactMap { service in
            guard let failure = service.failure else { return nil }
            let rest =
                service.answerTimestampUSec.map { timestamp in
                    "the answer of \(formatSpan(microseconds: now - timestamp)) ago is kept"
                } ?? "it has no servers yet"
            return StatusWarning(
                kind: .discoveryFailing,
                text: "upstream \(upstream.name): \(service.name) is not found: \(failure); \(rest)"
            )
        }
    }

    private static func isUnavailable(_ server: Status.Server) -> Bool {
        [.down, .ejected, .unresolved].contains(server.state)
    }

    // MARK: Limits

    private static func limits(of status: Status) -> [StatusWarning] {
        var all = [("the daemon", status.totals.active, status.totals.maxSessions)]
        for listener in status.listeners {
            all.append(("listener \(listener.name)", listener.active, listener.maxSessions ?? 0))
        }
        for upstream in status.upstreams {
            all.append(("upstream \(upstream.name)", upstream.active, upstream.maxSessions ?? 0))
            for server in upstream.servers {
                let name = "server \(upstream.name)/\(server.address)"
                all.append((name, server.active, server.maxSessions ?? 0))
            }
        }
        return all.compactMap { name, active, limit in
            guard limit > 0, active * 100 >= limit * limitPercent else { return nil }
            return StatusWarning(
                kind: .limitNear,
                text: "\(name) has \(active) of at most \(limit) sessions"
            )
        }
    }
}

/// A status with its warnings, for JSON.
struct StatusAnswer: Encodable {
    let status: Status
    let warnings: [StatusWarning]

    private enum CodingKeys: CodingKey {
        case warnings
    }

    func encode(to encoder: any Encoder) throws {
        try status.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(warnings, forKey: .warnings)
    }
}
