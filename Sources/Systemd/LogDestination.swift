internal import Glibc
package import Logging
internal import SystemPackage

/// Where log events go.
package enum LogDestination: Hashable, Sendable {
    /// The journal, in its own protocol, with fields.
    case journal
    /// The journal, which reads the standard error line by line: its socket is out of reach.
    case journalStream
    /// Lines for people on the standard error.
    case lines

    /// What the standard error of this process calls for.
    ///
    /// The service manager says in `JOURNAL_STREAM` which file it connected to the journal.
    /// Children inherit the variable even where their standard error was redirected since, so the
    /// file has to be the same one. See systemd.exec(5).
    package static var standardError: LogDestination {
        guard
            let stream = unsafe getenv("JOURNAL_STREAM").map({ unsafe String(cString: $0) }),
            isSameFile(as: stream, STDERR_FILENO)
        else { return .lines }
        let canWrite = unsafe access("/run/systemd/journal/socket", W_OK) == 0
        return canWrite ? .journal : .journalStream
    }

    /// Makes the handler for a logger.
    ///
    /// - Parameters:
    ///   - label: The name that the journal shows for the process.
    ///   - threshold: The level, shared by all handlers that are made with it.
    /// - Returns: A handler for `LoggingSystem.bootstrap`, or for a logger of one's own.
    package func makeHandler(label: String, threshold: LogThreshold) -> any LogHandler {
        switch self {
        case .journal:
            JournalLogHandler(identifier: label, threshold: threshold)
        case .journalStream:
            StandardErrorLogHandler(lineStart: .priority, threshold: threshold)
        case .lines:
            StandardErrorLogHandler(lineStart: .timeAndLevel, threshold: threshold)
        }
    }
}

/// Whether a descriptor is the file that `JOURNAL_STREAM` names as `device:inode`.
func isSameFile(as stream: String, _ descriptor: CInt) -> Bool {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { return false }
    return stream == "\(status.st_dev):\(status.st_ino)"
}
