package import Logging
internal import Synchronization

/// Records log events.
package final class RecordingLog: Sendable {
    /// One log event.
    package struct Entry: Sendable {
        package let level: Logger.Level
        package let message: String
        package let metadata: Logger.Metadata
    }

    private let kept = Mutex<[Entry]>([])

    package init() {}

    /// A logger whose events are recorded here.
    package var logger: Logger {
        Logger(label: "test") { _ in Handler(log: self) }
    }

    /// Returns the events since the last call and clears them.
    package func takeEvents() -> [Entry] {
        kept.withLock { events in
            defer { events = [] }
            return events
        }
    }

    /// Returns the events since the last call as `LEVEL MESSAGE` lines, and clears them.
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
