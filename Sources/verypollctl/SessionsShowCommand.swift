internal import ArgumentParser
internal import Console
internal import VerypollControl

/// The verb `verypollctl sessions show ID`.
struct SessionsShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one open session.",
        discussion: """
            In counts the bytes that the daemon has received from the client, Out those that it \
            has sent to the client. The exit status is 4 if no open session has this number.
            """
    )

    @Argument(
        help: "The number of the session, as in the list.",
        completion: .custom(Candidates.sessions)
    )
    var id: Int

    @OptionGroup var options: GlobalOptions

    func run() throws {
        var daemon = try options.connect()
        let answer = try daemon.call(
            DaemonInterface.Method.getSession.rawValue,
            parameters: SessionID(id: id),
            as: SessionAnswer.self
        )
        try Output(options).print(answer) { answer in
            sessionFields(answer.session, now: currentTimestamp())
        }
    }
}

/// Returns all fields of a session, one per line.
func sessionFields(_ session: Status.Session, now: Int) -> [DisplayText] {
    let opened = formatTimestamp(microseconds: session.openedTimestampUSec)
    let age = formatSpan(microseconds: now - session.openedTimestampUSec)
    let fields: [(String, String?)] = [
        ("Session", "\(session.id)"),
        ("Listener", session.listener),
        ("Worker", "\(session.worker)"),
        ("Peer", session.peer.isEmpty ? nil : session.peer),
        ("Local", session.local),
        ("Name", session.serverName),
        ("ALPN", session.alpn.flatMap { $0.isEmpty ? nil : $0.joined(separator: ", ") }),
        ("Route", session.route),
        ("Upstream", session.upstream),
        ("Server", session.server),
        ("State", session.state.words),
        ("Opened", "\(opened); \(age) ago"),
        ("Idle", formatSpan(microseconds: session.idleUSec)),
        ("In", formatByteCount(session.bytesIn)),
        ("Out", formatByteCount(session.bytesOut)),
        ("Buffered", formatByteCount(session.buffered)),
    ]
    return fields.compactMap { name, value in
        guard let value else { return nil }
        let padding = String(repeating: " ", count: 10 - name.count)
        return "\(padding)\(name): \(value)"
    }
}
