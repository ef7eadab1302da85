/// The story of a session from its accept to its end, which its log entry tells in one line.
struct SessionStory: Equatable {
    /// The reason of the end, as text.
    var reason: String
    /// The party that ended the session first.
    var closer: SessionParty
    /// The client; with a PROXY header, the client that the header names.
    var peer: String
    /// The address that has sent the PROXY header.
    var sender: String?
    var listener: String
    var upstream: String?
    var server: String?
    var bytesIn: UInt64 = 0
    var bytesOut: UInt64 = 0
    /// The milliseconds from the accept to the end.
    var duration: UInt64 = 0
    /// The microseconds that the connection to the server took; 0 if none was made.
    var connectTime: UInt32 = 0
    /// The milliseconds in the upstream's queue.
    var queueTime: UInt32 = 0
    /// The number of attempts to connect after the first one.
    var retryCount = 0
    /// The number of restarts that the session has survived.
    var restartCount = 0

    /// The message of the log entry; zeros are left out, except those of the bytes.
    var message: String {
        var path = sender.map { "\(peer) via \($0)" } ?? peer
        path += " -> \(listener)"
        if let upstream { path += " -> \(upstream)" + (server.map { "/\($0)" } ?? "") }
        var parts = [path, "\(bytesIn) bytes in", "\(bytesOut) bytes out", Self.time(duration)]
        if connectTime > 0 {
            parts.append("connect \(Self.decimal(UInt64(connectTime))) ms")
        }
        if queueTime > 0 { parts.append("queue \(Self.time(UInt64(queueTime)))") }
        if retryCount > 0 { parts.append(retryCount == 1 ? "1 retry" : "\(retryCount) retries") }
        if restartCount > 0 {
            parts.append("kept over \(restartCount) restart\(restartCount == 1 ? "" : "s")")
        }
        parts.append("\(closer.name) closed first")
        return "session ended: \(reason); " + parts.joined(separator: ", ")
    }

    /// Returns a time as text: `7 ms` or `3.214 s`.
    private static func time(_ milliseconds: UInt64) -> String {
        milliseconds < 1_000 ? "\(milliseconds) ms" : "\(decimal(milliseconds)) s"
    }

    /// Returns a thousandth of a number, with three decimal places.
    private static func decimal(_ thousandths: UInt64) -> String {
        let rest = String(thousandths % 1_000)
        return "\(thousandths / 1_000).\(String(repeating: "0", count: 3 - rest.count))\(rest)"
    }
}
