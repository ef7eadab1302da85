internal import Glibc
package import Logging
internal import SystemPackage

/// The destination of log events.
package enum LogDestination: Hashable, Sendable {
    /// The journal's native protocol, with fields.
    case journal
    /// The journal, through lines on standard error, as when its socket is not accessible.
    case journalStream
    /// Readable lines on standard error.
    case lines

    /// The destination for the standard error of this process.
    ///
    /// `JOURNAL_STREAM` names the file that the service manager connected to the journal. A child
    /// process inherits the variable even if its standard error was redirected, so this property
    /// compares the named file with standard error. See systemd.exec(5).
    package static var standardError: LogDestination {
        guard
            let stream = unsafe getenv("JOURNAL_STREAM").map({ unsafe String(cString: $0) }),
            isSameFile(as: stream, STDERR_FILENO)
        else { return .lines }
        let canWrite = unsafe access("/run/systemd/journal/socket", W_OK) == 0
        return canWrite ? .journal : .journalStream
    }

    /// Creates the handler for a logger.
    ///
    /// - Parameters:
    ///   - label: The name of the process in the journal.
    ///   - threshold: The minimum level, shared by all handlers that are created with it.
    ///   - format: The format of ``lines``, shared in the same way; the journal does not use it.
    /// - Returns: A handler for `LoggingSystem.bootstrap`, or for a single logger.
    package func makeHandler(
        label: String,
        threshold: LogThreshold,
        format: LogFormat = LogFormat()
    ) -> any LogHandler {
        switch self {
        case .journal:
            JournalLogHandler(identifier: label, threshold: threshold)
        case .journalStream:
            StandardErrorLogHandler(lineStart: .priority, threshold: threshold)
        case .lines:
            StandardErrorLogHandler(
                lineStart: .timeAndLevel,
                threshold: threshold,
                format: format
            )
        }
    }
}

/// Returns whether a descriptor is the file that `JOURNAL_STREAM` names as `device:inode`.
func isSameFile(as stream: String, _ descriptor: CInt) -> Bool {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { return false }
    return stream == "\(status.st_dev):\(status.st_ino)"
}
