internal import StrictJSON
internal import TestSupport
internal import VerypollControl

/// An entry of the log of a daemon with `"log": {"format": "json"}`.
struct LogEntry {
    private let value: JSONValue

    /// Parses a line; `nil` if it is not a JSON object.
    fileprivate init?(_ line: Substring) {
        guard let value = try? JSONDocument(parsing: Array(line.utf8)).root, value.object != nil
        else { return nil }
        self.value = value
    }

    var message: String { value["message"]?.string ?? "" }
    var messageID: String? { value["message_id"]?.string }

    /// The text of a field; `nil` if it is absent or not a text.
    subscript(name: String) -> String? { value["fields"]?[name]?.string }

    /// Returns the number in a field; `nil` if it is absent or not a number.
    func number(_ name: String) -> Int? { value["fields"]?[name]?.integer }
}

extension TestDaemon {
    /// The members of a configuration that log the ends of sessions in JSON, each followed by a
    /// comma.
    static let loggingJSON = #""log": {"sessions": true, "format": "json"},"#

    /// The entries of the log so far.
    var logEntries: [LogEntry] {
        get throws { try program.standardError.split(separator: "\n").compactMap(LogEntry.init) }
    }

    /// Waits for an entry of the log.
    func logEntry(_ what: String, _ isWanted: (LogEntry) -> Bool) throws -> LogEntry {
        try eventually(what) { try logEntries.first(where: isWanted) }
    }

    /// Waits for the end of a session with this reason code.
    func sessionEnd(_ code: String) throws -> LogEntry {
        try logEntry("the end \(code)") { $0["reason_code"] == code }
    }

    /// Returns the metrics as lines.
    func metricLines() throws -> Set<String> {
        var peer = try ControlPeer(path: controlPath)
        let metrics: MetricsText = try peer.result("io.verypoll.Daemon.GetMetrics")
        return Set(metrics.text.split(separator: "\n").map(String.init))
    }

    /// Waits until the metrics have these lines.
    func waitForMetrics(_ lines: String...) throws {
        try eventually("the metrics \(lines)") { try metricLines().isSuperset(of: lines) }
    }
}
