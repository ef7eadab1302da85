internal import VerypollControl

/// An event on the status page: one of `Monitor`, without counters and in a bounded size.
///
/// The fields are documented in docs/observability.md.
struct StatusEvent: Codable, Equatable, Sendable {
    /// The most bytes of a text; the rest is cut off.
    static let textLimit = 500

    var event: MonitorEvent.Kind
    var timestampUSec: Int
    var listener: String?
    var upstream: String?
    var server: String?
    var state: String?
    var mode: String?
    var weight: Int?
    var reason: String?
    /// The caller of the control call that has caused the event.
    var caller: String?
    /// The number of killed sessions.
    var sessions: Int?
    /// The new log level.
    var logLevel: String?
    /// How often the event has happened in a short time; `nil` if once.
    var count: Int?

    /// Makes an event of the page from an event of `Monitor`; `nil` if the page does not show it.
    init?(_ monitored: MonitorEvent) {
        event = monitored.event
        timestampUSec = monitored.timestampUSec
        upstream = monitored.upstream
        caller = monitored.caller?.description
        switch monitored.event {
        case .status, .sessionOpened, .sessionClosed: return nil
        case .lost: count = monitored.count
        case .drainBegun, .drainEnded, .drainDone: listener = monitored.listener?.name
        case .sessionsKilled: sessions = monitored.count
        case .logLevelSet: logLevel = monitored.logLevel
        case .listenerChanged:
            guard let changed = monitored.listener else { return nil }
            listener = changed.name
            state = changed.state.rawValue
            reason = changed.stateReason
        case .reloaded:
            let changes = monitored.changes ?? []
            let shown = changes.prefix(3).map(\.pointer).joined(separator: ", ")
            let rest = changes.count > 3 ? ", and \(changes.count - 3) more" : ""
            reason = changes.isEmpty ? "no changes" : shown + rest
        case .reloadRefused:
            guard let problem = monitored.problems?.first else { break }
            let position = problem.line.map { ":\($0):\(problem.column ?? 1)" } ?? ""
            let pointer = problem.pointer.isEmpty ? "" : " \(problem.pointer):"
            let rest = (monitored.count ?? 1) - 1
            reason =
                "\(problem.file)\(position):\(pointer) \(problem.message)"
                + (rest > 0 ? "; and \(rest) more" : "")
        default:
            guard let changed = monitored.server else { break }
            server = changed.address
            state = changed.state.rawValue
            mode = changed.mode.rawValue
            weight = changed.weight
            reason = changed.stateReason
        }
        reason = reason?.cut(to: Self.textLimit)
        server = server?.cut(to: Self.textLimit)
    }

    /// Returns whether another event differs only in its time, its reason and its number of
    /// sessions.
    ///
    /// A reload is never like another one, because its reason says what it changed.
    func isLike(_ other: StatusEvent) -> Bool {
        guard listener != nil || server != nil || event == .sessionsKilled else { return false }
        return event == other.event && listener == other.listener && upstream == other.upstream
            && server == other.server && state == other.state && mode == other.mode
            && weight == other.weight && caller == other.caller
    }
}

extension String {
    /// Returns the text, or its beginning and an ellipsis if it has more than `limit` bytes.
    func cut(to limit: Int) -> String {
        guard utf8.count > limit else { return self }
        var end = utf8.index(startIndex, offsetBy: limit)
        while end.samePosition(in: unicodeScalars) == nil { utf8.formIndex(before: &end) }
        return self[..<end] + "…"
    }
}
