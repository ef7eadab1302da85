package import Logging
internal import Synchronization

/// The minimum level to log, shared by all loggers of a process.
///
/// It can be changed at any time.
package final class LogThreshold: Sendable {
    private let index: Atomic<Int>

    /// Creates a threshold with an initial level.
    package init(_ level: Logger.Level) {
        index = Atomic(Logger.Level.allCases.firstIndex(of: level) ?? 0)
    }

    /// The minimum level to log.
    package var level: Logger.Level {
        get { Logger.Level.allCases[index.load(ordering: .relaxed)] }
        set {
            let newIndex = Logger.Level.allCases.firstIndex(of: newValue) ?? 0
            index.store(newIndex, ordering: .relaxed)
        }
    }
}

/// A log handler whose copies all use the level of one threshold.
///
/// Usually, each logger has its own level. Here an administrator changes the level of the process,
/// and all existing loggers, on any thread, must follow.
protocol ThresholdLogHandler: LogHandler {
    var threshold: LogThreshold { get }
}

extension ThresholdLogHandler {
    package var logLevel: Logger.Level {
        get { threshold.level }
        set { threshold.level = newValue }
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Returns all metadata of an event and its error as text, sorted by key.
    func fields(of event: LogEvent) -> [(key: String, value: String)] {
        values(of: event).map { ($0.key, $0.value.description) }
    }

    /// Returns all metadata of an event and its error, sorted by key.
    ///
    /// The event's metadata overrides the provider's, which overrides the logger's.
    func values(of event: LogEvent) -> [(key: String, value: Logger.MetadataValue)] {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { $1 } }
        if let own = event.metadata { all.merge(own) { $1 } }
        if let error = event.error { all["error"] = .string("\(error)") }
        return all.map { ($0, $1) }.sorted { $0.key < $1.key }
    }
}

extension Logger.Level {
    /// Creates a level from a priority of syslog(3).
    ///
    /// Priorities more severe than `critical` become `critical`.
    package init(priority: Int) {
        self =
            switch priority {
            case ...2: .critical
            case 3: .error
            case 4: .warning
            case 5: .notice
            case 6: .info
            default: .debug
            }
    }

    /// The priority of the level in syslog(3), which has none for `trace`.
    var priority: Int {
        switch self {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }
}
