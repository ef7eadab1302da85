package import Logging
internal import Synchronization

/// Keeps what is logged.
package final class RecordingLog: Sendable {
    /// One event of the log.
    package struct Entry: Sendable {
        package let level: Logger.Level
        package let message: String
        package let metadata: Logger.Metadata
    }

    private let kept = Mutex<[Entry]>([])

    package init() {}

    /// A logger whose messages end up here.
    package var logger: Logger {
        Logger(label: "test") { _ in Handler(log: self) }
    }

    /// Takes the events that came since the last time.
    package func takeEvents() -> [Entry] {
        kept.withLock { events in
            defer { events = [] }
            return events
        }
    }

    /// Takes the events that came since the last time, as `LEVEL MESSAGE`.
    package func takeLines() -> [String] {
        takeEvents().map { "\($0.level) \($0.message)" }
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
            let entry = Entry(
                level: event.level,
                message: "\(event.message)",
                metadata: event.metadata ?? [:]
            )
            log.kept.withLock { $0.append(entry) }
        }
    }
}
