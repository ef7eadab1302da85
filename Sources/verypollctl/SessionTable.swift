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
        ("LOCAL", .left),
        ("STATE", .left),
        ("WORKER", .right),
        ("AGE", .right),
        ("IDLE", .right),
        ("IN", .right),
        ("OUT", .right),
        ("BUFFERED", .right),
        folding: ["PEER", "LOCAL"]
    )
    for session in sessions {
        table.append(
            "\(session.id)",
            Table.Cell(session.listener),
            Table.Cell(session.peer.isEmpty ? "-" : session.peer),
            Table.Cell(session.local ?? "-"),
            Table.Cell(session.state.rawValue, session.state == .open ? .plain : .yellow),
            "\(session.worker)",
            Table.Cell(formatSpan(microseconds: now - session.openedTimestampUSec)),
            Table.Cell(formatSpan(microseconds: session.idleUSec)),
            Table.Cell(formatByteCount(session.bytesIn)),
            Table.Cell(formatByteCount(session.bytesOut)),
            Table.Cell(formatByteCount(session.buffered))
        )
        if let request = request(of: session) { table.remark(Table.Cell(request)) }
    }
    return table
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
