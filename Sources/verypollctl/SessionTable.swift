internal import VerypollControl

/// Returns a table with a row for each session.
///
/// - Parameters:
///   - sessions: The sessions.
///   - now: The current time, in microseconds since 1970-01-01 UTC.
/// - Returns: The table.
func sessionTable(_ sessions: [Status.Session], now: Int) -> Table {
    var table = Table(
        ("ID", .right),
        ("LISTENER", .left),
        ("PEER", .left),
        ("SERVER", .left),
        ("STATE", .left),
        ("AGE", .right),
        ("IDLE", .right),
        ("IN", .right),
        ("OUT", .right),
        ("BUFFERED", .right),
        ("WORKER", .right),
        ("LOCAL", .left),
        dropping: ["LOCAL", "WORKER", "BUFFERED", "AGE", "IDLE"],
        folding: ["SERVER", "PEER"]
    )
    for session in sessions {
        table.append(
            "\(session.id)",
            Table.Cell(session.listener),
            Table.Cell(session.peer.isEmpty ? "-" : session.peer),
            Table.Cell(session.server ?? "-"),
            Table.Cell(session.state.words, session.state == .open ? .plain : .yellow),
            Table.Cell(formatSpan(microseconds: now - session.openedTimestampUSec)),
            Table.Cell(formatSpan(microseconds: session.idleUSec)),
            Table.Cell(formatByteCount(session.bytesIn)),
            Table.Cell(formatByteCount(session.bytesOut)),
            Table.Cell(formatByteCount(session.buffered)),
            "\(session.worker)",
            Table.Cell(session.local ?? "-")
        )
        if let request = request(of: session) { table.remark(Table.Cell(request)) }
    }
    return table
}

extension Status.Session.State {
    /// The state as people read it.
    var words: String { self == .halfClosed ? "half-closed" : rawValue }
}

/// Returns a TLS client's name, protocols and route in words; `nil` for other clients.
private func request(of session: Status.Session) -> String? {
    guard session.serverName != nil || session.alpn != nil else { return nil }
    let alpn = session.alpn.flatMap { $0.isEmpty ? nil : " (\($0.joined(separator: ", ")))" }
    let route = session.route.map { ", route \($0)" }
    return (session.serverName ?? "no server name") + (alpn ?? "") + (route ?? ", no route")
}

/// Returns a number with its noun, such as `1 session` and `2 sessions`.
func count(_ number: Int, _ noun: String) -> String {
    "\(number) \(noun)\(number == 1 ? "" : "s")"
}
