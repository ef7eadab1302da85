import Logging
import Synchronization

/// Keeps what is logged, as `LEVEL MESSAGE`.
final class RecordingLog: Sendable {
    private let kept = Mutex<[String]>([])

    /// A logger whose messages end up here.
    var logger: Logger {
        Logger(label: "test") { _ in Handler(log: self) }
    }

    /// Takes the lines that came since the last time.
    func takeLines() -> [String] {
        kept.withLock { lines in
            defer { lines = [] }
            return lines
        }
    }

    private struct Handler: LogHandler {
        let log: RecordingLog
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            log.kept.withLock { $0.append("\(event.level) \(event.message)") }
        }
    }
}
