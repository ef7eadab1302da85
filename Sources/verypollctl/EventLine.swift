internal import Console
internal import VerypollControl

/// Returns an event as one line: its time, its kind, and its details.
func eventLine(_ event: MonitorEvent, on terminal: Terminal) -> DisplayText {
    let (what, style, details) = words(of: event)
    let time = formatTimestamp(microseconds: event.timestampUSec)
    let caller = event.caller.map { ", by \($0)" } ?? ""
    return "\(time)  \(terminal.styled(what, style))  \(details)\(caller)"
}

private func words(of event: MonitorEvent) -> (what: DisplayText, Style, details: String) {
    switch event.event {
    case .status:
        let status = event.status
        let sessions = status?.totals.active ?? 0
        let listeners = status?.listeners.count ?? 0
        return (
            "status", .bold,
            "\(status?.state.rawValue ?? ""), \(count(listeners, "listener")),"
                + " \(count(sessions, "session"))"
        )
    case .sessionOpened: return ("session-opened", .plain, words(of: event.session))
    case .sessionClosed:
        let counts = event.session.map { session in
            ", \(formatByteCount(session.bytesIn)) in, \(formatByteCount(session.bytesOut)) out"
        }
        let reason = event.reason.map { ": \($0)" } ?? ""
        return ("session-closed", .plain, words(of: event.session) + (counts ?? "") + reason)
    case .serverUp: return ("server-up", .green, words(of: event.server, event.upstream))
    case .serverDown: return ("server-down", .red, words(of: event.server, event.upstream))
    case .serverSet:
        let weight = event.server.map { ", weight \($0.weight)" } ?? ""
        return ("server-set", .yellow, words(of: event.server, event.upstream) + weight)
    case .listenerChanged:
        let listener = event.listener
        let reason = listener?.stateReason.map { ": \($0)" } ?? ""
        let state = listener?.state.rawValue ?? ""
        return ("listener-changed", .yellow, "\(listener?.name ?? "") \(state)\(reason)")
    case .reloaded:
        return ("reloaded", .yellow, count(event.changes?.count ?? 0, "change"))
    case .reloadRefused:
        let problem = event.problems?.first.map { "\($0.pointer): \($0.message)" } ?? ""
        let others = (event.count ?? 1) - 1
        return ("reload-refused", .red, problem + (others > 0 ? ", and \(others) more" : ""))
    case .lost: return ("lost", .red, count(event.count ?? 0, "event"))
    case .drainBegun, .drainEnded, .drainDone:
        return ("\(event.event.rawValue)", .yellow, event.listener?.name ?? "all listeners")
    case .sessionsKilled:
        let number = event.session.map { words(of: $0) }
        return ("sessions-killed", .yellow, number ?? count(event.count ?? 0, "session"))
    case .logLevelSet: return ("log-level-set", .yellow, event.logLevel ?? "")
    }
}

private func words(of session: Status.Session?) -> String {
    guard let session else { return "" }
    let peer = session.peer.isEmpty ? "" : " from \(session.peer)"
    let server = (session.server ?? session.upstream).map { " to \($0)" } ?? ""
    let name = session.serverName.map { " for \($0)" } ?? ""
    return "\(session.id) \(session.listener)\(peer)\(name)\(server)"
}

private func words(of server: Status.Server?, _ upstream: String?) -> String {
    guard let server else { return upstream ?? "" }
    let reason = server.stateReason.map { ": \($0)" } ?? ""
    return "\(upstream ?? "") \(server.address) \(stateWords(of: server))\(reason)"
}

/// Returns the state of a server, with the mode before it unless the mode is `up`: `drain (up)`.
func stateWords(of server: Status.Server) -> String {
    stateWords(server.state.rawValue, mode: server.mode.rawValue)
}

/// Returns the text for a state and a mode.
func stateWords(_ state: String, mode: String) -> String {
    mode == Status.Server.Mode.up.rawValue ? state : "\(mode) (\(state))"
}
